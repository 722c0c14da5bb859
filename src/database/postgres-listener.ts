import { EventEmitter } from 'node:events';
import {
  type PostgresClient,
  postgresClientClass,
  type PostgresClientOptions,
} from './postgres-client.js';

/**
 * A connection that listens to one channel of PostgreSQL's NOTIFY. It emits `heard` for each notification,
 * and `lost` when the connection has ended. It does not reconnect by itself.
 */
export class PostgresListener extends EventEmitter<{ heard: []; lost: [] }> {
  private client: PostgresClient | undefined;

  constructor(
    private readonly options: PostgresClientOptions,
    private readonly channel: string,
  ) {
    super();
  }

  get connected(): boolean {
    return this.client !== undefined;
  }

  /**
   * Connects and listens.
   *
   * @throws the errors of `pg`
   */
  async connect(): Promise<void> {
    const client = new (postgresClientClass())({
      ...this.options,
      application_name: 'latchkey-listen',
    });
    const lose = (): void => {
      if (this.client !== client) return;
      this.client = undefined;
      this.emit('lost');
    };
    client.on('error', lose).on('end', lose);
    client.on('notification', () => this.emit('heard'));
    try {
      await client.connect();
      await client.query(`LISTEN ${client.escapeIdentifier(this.channel)}`);
      this.client = client;
    } catch (error) {
      client.end().catch(() => undefined);
      throw error;
    }
  }

  async close(): Promise<void> {
    const { client } = this;
    this.client = undefined;
    await client?.end();
  }
}
