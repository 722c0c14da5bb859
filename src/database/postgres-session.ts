import type { PostgresClient } from './postgres-client.js';

/** The limits that PostgreSQL enforces, in milliseconds; 0 is no limit. */
export interface SessionLimits {
  /** For a statement. */
  statement: number;
  /** For a transaction whose client sends no statement. */
  idleInTransaction: number;
  /** For the wait for a lock. */
  lock: number;
}

/**
 * Returns the SQL that sets a session up after connecting, whatever the defaults of the server, the database
 * or the role are. PgBouncer refuses such parameters at the start of a connection. The SQL returns the
 * `schema` of the tables and whether the session is `read_only`. This one default stays unchanged, because it
 * may mean that another server has taken over.
 */
export function sessionSql(limits: SessionLimits, schema: string | undefined): string {
  const text = (value: string): string => `'${value.replaceAll("'", "''")}'`;
  const settings: Record<string, string> = {
    // Code decides by a unique index, a condition or a lock, and then reads again.
    default_transaction_isolation: text('read committed'),
    default_transaction_deferrable: text('off'),
    statement_timeout: text(String(limits.statement)),
    idle_in_transaction_session_timeout: text(String(limits.idleInTransaction)),
    lock_timeout: text(String(limits.lock)),
    // An acknowledged write is on the disk. A stricter setting stays.
    synchronous_commit: `CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on'
      ELSE current_setting('synchronous_commit') END`,
    // A policy would hide rows silently. An error is better.
    row_security: text('off'),
    standard_conforming_strings: text('on'),
  };
  const sets = Object.entries(settings).map(([name, value]) => setConfig(name, value));
  const path =
    schema === undefined ? `coalesce(quote_ident(current_schema()), 'public')` : text(schema);
  return `SELECT ${setConfig('search_path', path)} AS schema,
    current_setting('transaction_read_only') = 'on' AS read_only,
    ${sets.join(', ')},
    ${sinceVersion(140_000, 'idle_session_timeout')}, ${sinceVersion(170_000, 'transaction_timeout')}`;
}

const setConfig = (name: string, value: string): string => `set_config('${name}', ${value}, false)`;

/** Disables a limit that only newer servers know. */
const sinceVersion = (version: number, name: string): string =>
  `CASE WHEN current_setting('server_version_num')::int >= ${version}
    THEN ${setConfig(name, `'0'`)} END`;

/** The connections to one database, and their common state. */
export class PostgresSessions {
  /** The schema of the tables, as a `search_path`; undefined before the first connection. */
  schema: string | undefined;
  private readonly clients = new Set<PostgresClient>();

  /** Handles a new connection. If it can write, the connections that never could are closed. */
  opened(client: PostgresClient): void {
    this.clients.add(client);
    client.once('end', () => this.clients.delete(client));
    if (client.readOnly) return;
    for (const other of this.clients) if (other.readOnly) other.drop();
  }

  /**
   * Handles a server that refused a write because it is read-only. If it was writable once, another server
   * has probably taken over, and every connection is closed.
   */
  refusedWrite(client: PostgresClient): void {
    if (client.readOnly) client.drop();
    else for (const other of this.clients) other.drop();
  }
}
