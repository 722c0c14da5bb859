import type { DataSource, EntityManager, QueryRunner } from 'typeorm';

/**
 * A transaction of SQLite that may write from its first statement on. One that begins by reading
 * fails at its first write if another process wrote in between, however long it would wait.
 */
export async function immediately<T>(
  writer: DataSource,
  work: (manager: EntityManager) => Promise<T>,
): Promise<T> {
  await writer.query('BEGIN IMMEDIATE');
  try {
    const result = await work(writer.manager);
    await writer.query('COMMIT');
    return result;
  } catch (error) {
    // SQLite has rolled back by itself after some errors (a full disk); then this is one more.
    await writer.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

/** Shows the reader one moment of its database, however long it reads; it cannot write. */
export async function holdStill(reader: QueryRunner): Promise<void> {
  if (reader.connection.options.type === 'postgres') {
    await reader.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  } else {
    await reader.query('PRAGMA query_only = ON');
    await reader.query('BEGIN');
  }
}
