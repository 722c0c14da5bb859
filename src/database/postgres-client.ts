import type pg from 'pg';
import { lazyPackage } from '../common/lazy-package.js';
import { isUnixSocket, readPostgresTls } from '../config/postgres-tls.js';
import type { DatabaseSettings } from './database.options.js';
import { PostgresSessions, type SessionLimits, sessionSql } from './postgres-session.js';

const loadPg = lazyPackage('pg') as () => typeof pg;

/** The options of {@link PostgresClient} beside pg's own. */
export interface PostgresClientOptions extends pg.ClientConfig {
  /** Shared by all connections to one database. */
  sessions: PostgresSessions;
  /** The limits that the server enforces, in milliseconds; 0 is no limit. */
  limits: SessionLimits;
  /** Whether to continue without TLS if the server has none (`sslmode=prefer`). */
  tlsOptional: boolean;
}

/**
 * Returns the options of a connection to the PostgreSQL of `url`, for a {@link PostgresClient} and for
 * TypeORM's pool. `settings` as for `databaseOptions`.
 */
export function postgresClientOptions(
  postgresUrl: string,
  { timeout, waitTimeout }: Pick<DatabaseSettings, 'timeout' | 'waitTimeout'>,
): PostgresClientOptions {
  const { url, ssl, optional } = readPostgresTls(postgresUrl);
  const local = isUnixSocket(postgresUrl);
  return {
    connectionString: url,
    // As libpq does for any sslmode: a Unix socket has no network to protect from.
    ssl: local ? false : ssl,
    tlsOptional: optional && !local,
    application_name: 'latchkey',
    keepAlive: true,
    connectionTimeoutMillis: waitTimeout * 1000,
    // The client's own limit, for a server that has vanished. It is a little longer, so that the server's
    // error comes first.
    query_timeout: timeout * 1000 + 250,
    sessions: new PostgresSessions(),
    // A transaction whose client vanished releases its locks.
    limits: { statement: timeout * 1000, idleInTransaction: timeout * 1000, lock: 0 },
  };
}

/**
 * A connection to PostgreSQL with the session settings that Latchkey relies on. It closes if the answer to a
 * query does not come within `query_timeout`. pg itself would go on to wait for it, also in a pool, with
 * another request's query behind it. It also closes if its server has become read-only.
 */
export interface PostgresClient extends pg.Client {
  /** Whether the server refused writes when the connection was made. */
  readOnly: boolean;
  /** Closes the connection like a broken network. A pool then makes another. */
  drop(): void;
}

type PostgresClientClass = new (options: PostgresClientOptions) => PostgresClient;

let clientClass: PostgresClientClass | undefined;

/** Returns the class of {@link PostgresClient}. The first call loads pg, so a server on SQLite never does. */
export const postgresClientClass = (): PostgresClientClass => (clientClass ??= makeClientClass());

/** PostgreSQL's code for a write that a read-only transaction or server refuses. */
export const READ_ONLY = '25006';

/** The members of a connection that pg's types leave out. */
interface Negotiating extends pg.Connection {
  ssl: unknown;
  attachListeners(stream: pg.Connection['stream']): void;
  connect(port: number, host: string): void;
}

function makeClientClass(): PostgresClientClass {
  const { Client, ...library } = loadPg();
  const Connection = library.Connection as unknown as new (
    config: pg.ConnectionConfig,
  ) => Negotiating;

  /** Continues without encryption if the server answers that it has no TLS. pg itself gives up there. */
  class TlsOptionalConnection extends Connection {
    override connect(port: number, host: string): void {
      super.connect(port, host);
      const listeners = this.stream.listeners('data') as ((answer: Buffer) => void)[];
      this.stream.removeAllListeners('data');
      this.stream.once('data', (answer: Buffer) => {
        if (answer.toString() !== 'N') {
          for (const listener of listeners) listener.call(this.stream, answer);
          return;
        }
        this.ssl = false;
        this.attachListeners(this.stream);
        // pg continues at this event after the handshake.
        this.emit('sslconnect');
      });
    }
  }

  return class SetUpClient extends Client implements PostgresClient {
    readOnly = false;

    constructor(private readonly own: PostgresClientOptions) {
      super({
        ...own,
        ...(own.tlsOptional && { connection: new TlsOptionalConnection(own) }),
      });
      // A connection may break while its session is set up, or between two users of it. Without a listener that
      // would end the process. Each query on it fails, so the loss is not hidden.
      this.on('error', () => undefined);
      const ask = this.query.bind(this) as (...query: unknown[]) => unknown;
      this.query = (...query: unknown[]) => {
        const answer = ask(...query);
        if (answer instanceof Promise) {
          answer.catch((error: unknown) => {
            if ((error as Error).message === 'Query read timeout') void this.end();
            if ((error as { code?: unknown }).code === READ_ONLY) own.sessions.refusedWrite(this);
          });
        }
        return answer as never;
      };
    }

    override connect(): Promise<pg.Client>;
    override connect(callback: (error: Error) => void): void;
    override connect(callback?: (error: Error) => void): Promise<pg.Client> | undefined {
      const connected = this.open();
      if (!callback) return connected;
      const done = callback as (error?: Error) => void;
      connected.then(() => {
        done();
      }, done);
      return undefined;
    }

    drop(): void {
      (this as unknown as { connection: Negotiating }).connection.stream.destroy();
    }

    private async open(): Promise<pg.Client> {
      const { sessions, limits } = this.own;
      await super.connect();
      try {
        const { rows } = await this.query<{ schema: string; read_only: boolean }>(
          sessionSql(limits, sessions.schema),
        );
        // The first connection decides: a search_path that changes later must not lead elsewhere.
        sessions.schema ??= rows[0]?.schema;
        this.readOnly = rows[0]?.read_only === true;
        sessions.opened(this);
        return this;
      } catch (error) {
        this.drop();
        throw error;
      }
    }
  };
}
