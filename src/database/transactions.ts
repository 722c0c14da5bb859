import type { DataSource, QueryRunner } from 'typeorm';

/**
 * Runs a transaction of SQLite that may write from its first statement on. A transaction that begins by
 * reading fails at its first write if another process wrote in between, even with a long busy timeout.
 */
export async function immediateTransaction<T>(
  writer: DataSource,
  work: () => Promise<T>,
): Promise<T> {
  const runner = writer.createQueryRunner();
  await writer.query('BEGIN IMMEDIATE');
  // `save()` and `manager.transaction()` of TypeORM join a transaction that they know of. Otherwise they would begin
  // another one, fail, and roll this one back.
  Object.assign(runner, { isTransactionActive: true, transactionDepth: 1 });
  try {
    const result = await work();
    await writer.query('COMMIT');
    return result;
  } catch (error) {
    // After some errors (a full disk) SQLite has rolled back by itself, and this fails.
    await writer.query('ROLLBACK').catch(() => undefined);
    throw error;
  } finally {
    Object.assign(runner, { isTransactionActive: false, transactionDepth: 0 });
  }
}

/** Makes the reader see one state of its database, for however long it reads. It cannot write. */
export async function beginSnapshot(reader: QueryRunner): Promise<void> {
  if (reader.connection.options.type === 'postgres') {
    await reader.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  } else {
    await reader.query('PRAGMA query_only = ON');
    await reader.query('BEGIN');
  }
}
