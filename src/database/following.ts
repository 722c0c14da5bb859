import {
  type BeforeApplicationShutdown,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Readiness } from '../common/readiness.js';
import { Recurring } from '../common/recurring.js';
import { Database } from './database.js';
import type { PostgresListener } from './postgres-listener.js';

/** PostgreSQL's channel on which instances tell one another of new rows. */
export const CHANGES_CHANNEL = 'latchkey_changes';

/** How often the rows are asked for, and after how long without an answer that is a fault. */
const POLL = 1_000;
const LAG_LIMIT = 10_000;

/** What is kept in memory of rows that every instance may change. */
export interface Followed {
  /** In a word, for the log and as a part of `/health/ready`. */
  name: string;
  /** Reads what is new. */
  learn: () => Promise<void>;
}

/**
 * Keeps what is in memory in step with its rows: learns before the server listens, by NOTIFY where
 * there is PostgreSQL, and by asking every second everywhere. While it cannot, what is known holds,
 * and after 10 s `/health/ready` says so.
 */
@Injectable()
export class Following implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(Following.name);
  private readonly followers: Follower[] = [];
  private readonly ear: PostgresListener | undefined;
  /** Keeps the clock in step, and finds that a server has become read-only. */
  private readonly timing: Recurring;
  private readonly listening: Recurring | undefined;

  constructor(
    private readonly database: Database,
    private readonly readiness: Readiness,
  ) {
    this.ear = database.listener(CHANGES_CHANNEL);
    this.ear?.on('heard', () => void this.ask());
    this.timing = new Recurring('Asking for the time', POLL, () => database.ping(), this.logger);
    this.listening =
      this.ear && new Recurring('Listening for changes', POLL, () => this.listen(), this.logger);
  }

  /** Follows some rows, from the start of the application on. */
  add(followed: Followed): Follower {
    const follower = new Follower(followed, this.logger);
    this.followers.push(follower);
    const { name } = followed;
    this.readiness.add(name, () => {
      if (follower.lag <= LAG_LIMIT) return;
      throw new Error(`The ${name} of other instances are not learnt`);
    });
    return follower;
  }

  /** Tells every instance to look, once the transaction of `manager` is committed. */
  tell(manager: EntityManager): Promise<void> {
    return this.database.notify(manager, CHANGES_CHANNEL);
  }

  async onApplicationBootstrap(): Promise<void> {
    this.timing.start();
    for (const follower of this.followers) await follower.start();
    await this.listening?.now();
  }

  async beforeApplicationShutdown(): Promise<void> {
    const stops = this.followers.map((follower) => follower.stop());
    await Promise.all([...stops, this.timing.stop(), this.listening?.stop()]);
    await this.ear?.close();
  }

  private async listen(): Promise<void> {
    if (!this.ear || this.ear.connected) return;
    await this.ear.connect();
    // What was told while nobody listened is found by asking.
    await this.ask();
  }

  private async ask(): Promise<void> {
    await Promise.all(this.followers.map((follower) => follower.now()));
  }
}

/** One thing that is followed. */
export class Follower {
  private readonly poll: Recurring;
  private learntAt = performance.now();

  constructor(
    private readonly followed: Followed,
    logger: Logger,
  ) {
    this.poll = new Recurring(`Asking for ${followed.name}`, POLL, () => this.learn(), logger);
  }

  /** Milliseconds since the rows were last read. */
  get lag(): number {
    return performance.now() - this.learntAt;
  }

  /** Learns for the first time, and goes on by itself. @throws what `learn` throws */
  async start(): Promise<void> {
    await this.learn();
    this.poll.start();
  }

  /** Learns what is committed by now. A failure is logged, and made up for by the next turn. */
  now(): Promise<void> {
    return this.poll.now();
  }

  stop(): Promise<void> {
    return this.poll.stop();
  }

  private async learn(): Promise<void> {
    const askedAt = performance.now();
    await this.followed.learn();
    this.learntAt = askedAt;
  }
}
