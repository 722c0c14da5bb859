import {
  type BeforeApplicationShutdown,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Readiness } from '../common/readiness.js';
import { RecurringTask } from '../common/recurring-task.js';
import { Database } from './database.js';
import type { PostgresListener } from './postgres-listener.js';

/** PostgreSQL's channel on which instances tell each other of changed rows. */
export const CHANGES_CHANNEL = 'latchkey_changes';

/** The time between two reads of the rows, in milliseconds. */
const POLL_INTERVAL = 1_000;

/** After this time without a successful read `/health/ready` reports a fault, in milliseconds. */
const LAG_LIMIT = 10_000;

/** Rows that any instance may change and that each instance keeps in memory. */
export interface SharedRows {
  /** One word, for the log and for `/health/ready`. */
  name: string;
  /** Reads what has changed since the last call. */
  load: () => Promise<void>;
}

/**
 * Keeps an instance's memory in step with rows in the database. It loads them before the server listens,
 * after a NOTIFY of PostgreSQL, and once a second on both databases. While the database is down, the memory
 * stays as it is, and after 10 s `/health/ready` reports it.
 */
@Injectable()
export class ChangeFeed implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(ChangeFeed.name);
  private readonly subscriptions: Subscription[] = [];
  private readonly listener: PostgresListener | undefined;
  /** Sets the clock, and notices a server that has become read-only. */
  private readonly timing: RecurringTask;
  private readonly listening: RecurringTask | undefined;

  constructor(
    private readonly database: Database,
    private readonly readiness: Readiness,
  ) {
    this.listener = database.listener(CHANGES_CHANNEL);
    this.listener?.on('heard', () => void this.loadAll());
    this.timing = new RecurringTask(
      'Asking for the time',
      POLL_INTERVAL,
      () => database.ping(),
      this.logger,
    );
    this.listening =
      this.listener &&
      new RecurringTask('Listening for changes', POLL_INTERVAL, () => this.listen(), this.logger);
  }

  /** Keeps some rows in step, from the start of the application on. */
  subscribe(rows: SharedRows): Subscription {
    const subscription = new Subscription(rows, this.logger);
    this.subscriptions.push(subscription);
    const { name } = rows;
    this.readiness.add(name, () => {
      if (subscription.lag <= LAG_LIMIT) return;
      throw new Error(`The ${name} of other instances are not learnt`);
    });
    return subscription;
  }

  /** Makes every instance load its rows when the transaction of `manager` is committed. */
  notify(manager: EntityManager): Promise<void> {
    return this.database.notify(manager, CHANGES_CHANNEL);
  }

  async onApplicationBootstrap(): Promise<void> {
    this.timing.start();
    for (const subscription of this.subscriptions) await subscription.start();
    await this.listening?.now();
  }

  async beforeApplicationShutdown(): Promise<void> {
    const stops = this.subscriptions.map((subscription) => subscription.stop());
    await Promise.all([...stops, this.timing.stop(), this.listening?.stop()]);
    await this.listener?.close();
  }

  private async listen(): Promise<void> {
    if (!this.listener || this.listener.connected) return;
    await this.listener.connect();
    // Notifications are lost while no connection listens.
    await this.loadAll();
  }

  private async loadAll(): Promise<void> {
    await Promise.all(this.subscriptions.map((subscription) => subscription.now()));
  }
}

/** The loading of one kind of rows. */
export class Subscription {
  private readonly poll: RecurringTask;
  private loadedAt = performance.now();

  constructor(
    private readonly rows: SharedRows,
    logger: Logger,
  ) {
    this.poll = new RecurringTask(
      `Asking for ${rows.name}`,
      POLL_INTERVAL,
      () => this.load(),
      logger,
    );
  }

  /** Milliseconds since the rows were last read. */
  get lag(): number {
    return performance.now() - this.loadedAt;
  }

  /**
   * Loads for the first time, and then once a second.
   *
   * @throws the errors of `load`
   */
  async start(): Promise<void> {
    await this.load();
    this.poll.start();
  }

  /** Loads the committed changes. A failure is logged, and the next turn loads them. */
  now(): Promise<void> {
    return this.poll.now();
  }

  stop(): Promise<void> {
    return this.poll.stop();
  }

  private async load(): Promise<void> {
    const askedAt = performance.now();
    await this.rows.load();
    this.loadedAt = askedAt;
  }
}
