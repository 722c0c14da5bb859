import type { Logger } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { lazyPackage } from '../common/lazy-package.js';

const ioredis = lazyPackage('ioredis') as () => typeof import('ioredis');

/** The longest wait for a command, and for a connection at the start, in milliseconds. */
const TIMEOUTS = { command: 1_000, connection: 5_000 };

/**
 * The connection to Redis. Requests never wait while Redis is down: without a connection, a command fails at
 * once. If a command has no answer after a second, the connection is closed and opened again in the
 * background. The log says once that Redis is down, and once that it is back.
 */
export class RedisConnection {
  readonly client: Redis;
  private isDown = false;
  private closing = false;

  constructor(
    url: string,
    private readonly logger: Logger,
  ) {
    this.client = new (ioredis().Redis)(url, {
      lazyConnect: true,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      connectTimeout: TIMEOUTS.connection,
      commandTimeout: TIMEOUTS.command,
      // A replica refuses counts. After a failover, its address may lead to the new primary.
      reconnectOnError: (error) => error.message.includes('READONLY'),
      retryStrategy: (times) => Math.min(times * 100, 2_000),
    });
    this.client.on('error', (error: unknown) => {
      this.fails(error);
    });
    this.client.on('close', () => {
      this.fails(new Error('connection closed'));
    });
    this.client.on('ready', () => {
      this.works();
    });
  }

  /** Connects. Resolves also if Redis is down. */
  async open(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, TIMEOUTS.connection);
    });
    const connected = this.client.connect().catch((error: unknown) => {
      this.fails(error);
    });
    await Promise.race([connected, late]);
    clearTimeout(timer);
  }

  close(): void {
    this.closing = true;
    this.client.disconnect();
  }

  /** Reports that a command failed. */
  fails(error: unknown): void {
    if (this.isDown || this.closing) return;
    this.isDown = true;
    const reason = error instanceof Error ? error.message : 'unknown error';
    this.logger.warn(
      `Redis is down (${reason}): each instance counts for itself until it is up again`,
    );
    // Until there is a connection that answers, the next commands fail at once.
    if (reason === 'Command timed out') this.client.disconnect(true);
  }

  /** Reports that a command succeeded. */
  works(): void {
    if (!this.isDown) return;
    this.isDown = false;
    this.logger.log('Redis is up again');
  }
}
