import { randomUUID } from 'node:crypto';
import type { DataSource } from 'typeorm';
import { postgresClientClass, type PostgresClientOptions } from './postgres-client.js';

/**
 * Refuses a pooler that gives each transaction another session (PgBouncer's `pool_mode=transaction`).
 * Settings of the session and `LISTEN` are lost there, and reach other programs.
 *
 * @throws Error with a sentence
 */
export async function refuseSharedSessions(options: PostgresClientOptions): Promise<void> {
  const PostgresClient = postgresClientClass();
  const marked = new PostgresClient(options);
  const other = new PostgresClient(options);
  const clients = [marked, other];
  try {
    // A lost connection shows as the error of its query.
    for (const client of clients) await client.on('error', () => undefined).connect();
    const mark = randomUUID();
    await marked.query(`SELECT set_config('latchkey.session', $1, false)`, [mark]);
    await other.query('BEGIN');
    const { rows } = await other.query<{ mark: string | null }>(
      `SELECT current_setting('latchkey.session', true) AS mark`,
    );
    await other.query('ROLLBACK');
    if (rows[0]?.mark !== mark) return;
    await other.query('DISCARD ALL');
    throw new Error(
      'DATABASE_URL names a pooler that shares sessions between its clients: Latchkey needs its session mode (pool_mode=session)',
    );
  } finally {
    for (const client of clients) client.drop();
  }
}

/** Tables that together only Latchkey has. */
const OWN_TABLES = ['audit_marks', 'one_time_tokens', 'revocations'];

/**
 * Refuses a schema without Latchkey's tables if another schema has them: after a change of `search_path` the
 * server would start on an empty database. A schema that `DATABASE_URL` names (by `options`) is accepted.
 *
 * @throws Error with a sentence
 */
export async function refuseOtherSchema(dataSource: DataSource): Promise<void> {
  const { connectionString = '' } = dataSource.options.extra as PostgresClientOptions;
  if (/[?&]options=/.test(connectionString)) return;
  const rows = await dataSource.query<{ schema: string; present: string }[]>(
    `SELECT table_schema AS schema, current_schema() AS present FROM information_schema.tables
     WHERE table_name = ANY($1) GROUP BY table_schema HAVING count(*) = $2`,
    [OWN_TABLES, OWN_TABLES.length],
  );
  const [other] = rows;
  if (!other || rows.some(({ schema, present }) => schema === present)) return;
  throw new Error(
    `The tables of Latchkey are in the schema ${other.schema}, but search_path leads to ${other.present}`,
  );
}
