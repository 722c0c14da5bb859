import pg from 'pg';
import { readPostgresTls } from '../config/postgres-tls.js';
import type { DatabaseSettings } from './database.options.js';

/** What {@link PostgresClient} takes beside pg's own options. */
export interface PostgresClientOptions extends pg.ClientConfig {
  /** Goes on without TLS where the server has none (`sslmode=prefer`). */
  tlsOptional: boolean;
}

/**
 * The options of a connection to the PostgreSQL of `url`, for a {@link PostgresClient} of its own as
 * for TypeORM's pool. `settings` as for `databaseOptions`.
 */
export function postgresClientOptions(
  postgresUrl: string,
  { timeout, waitTimeout }: Pick<DatabaseSettings, 'timeout' | 'waitTimeout'>,
): PostgresClientOptions {
  const { url, ssl, optional } = readPostgresTls(postgresUrl);
  return {
    connectionString: url,
    ssl,
    tlsOptional: optional,
    application_name: 'latchkey',
    keepAlive: true,
    connectionTimeoutMillis: waitTimeout * 1000,
    statement_timeout: timeout * 1000,
    // The server cannot tell us that it is gone; a little later, so that its own word comes first.
    query_timeout: timeout * 1000 + 250,
    // A transaction whose client was cut off lets go of its locks.
    idle_in_transaction_session_timeout: timeout * 1000,
  };
}

/**
 * A connection to PostgreSQL: pg's, that is closed once the answer to a query did not come within
 * `query_timeout`. pg itself would go on to wait for that answer, in a pool too, with somebody else's
 * query behind it.
 */
export class PostgresClient extends pg.Client {
  constructor(options: PostgresClientOptions) {
    super({
      ...options,
      ...(options.tlsOptional && { connection: new TlsOptionalConnection(options) }),
    });
    const ask = this.query.bind(this) as (...query: unknown[]) => unknown;
    this.query = (...query: unknown[]) => {
      const answer = ask(...query);
      if (answer instanceof Promise) {
        answer.catch((error: unknown) => {
          if ((error as Error).message === 'Query read timeout') void this.end();
        });
      }
      return answer as never;
    };
  }
}

/** What pg's types leave out of its connection. */
interface Negotiating extends pg.Connection {
  ssl: unknown;
  attachListeners(stream: pg.Connection['stream']): void;
  connect(port: number, host: string): void;
}

const Connection = pg.Connection as unknown as new (config: pg.ConnectionConfig) => Negotiating;

/** Goes on in the clear with a server that answers it has no TLS, where pg gives up. */
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
      // Where pg goes on after the handshake.
      this.emit('sslconnect');
    });
  }
}
