import {
  type BeforeApplicationShutdown,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { MoreThan, type Repository } from 'typeorm';
import { Metrics } from '../common/metrics.js';
import { Readiness } from '../common/readiness.js';
import { Recurring } from '../common/recurring.js';
import { Config } from '../config/config.js';
import { Database } from '../database/database.js';
import type { PostgresListener } from '../database/postgres-listener.js';
import { Revocation } from './revocation.entity.js';
import { RevocationList, type TokenOrigin, type Verdict } from './revocation-list.js';

/** PostgreSQL's channel on which instances tell one another of new rows. */
export const REVOCATIONS_CHANNEL = 'latchkey_revocations';

/**
 * How far the clocks of instances may be apart, and how long a transaction may take to commit after
 * it took its time, in milliseconds.
 */
const SLACK = 60_000;

/** How often the rows are asked for, and after how long without an answer that is a fault. */
const POLL = 1_000;
const LAG_LIMIT = 10_000;

/**
 * Which access tokens are no longer good although they have not expired, known without a read of the
 * database: loaded at the start, changed at once by this process's own requests, learnt from other
 * instances by NOTIFY where there is PostgreSQL and by asking every second everywhere.
 */
@Injectable()
export class Revocations implements OnApplicationBootstrap, BeforeApplicationShutdown {
  /** How long a revocation matters, in milliseconds: no token lives longer after it. */
  readonly lifetime: number;
  private readonly logger = new Logger(Revocations.name);
  private readonly list: RevocationList;
  private readonly poll: Recurring;
  private readonly ear: PostgresListener | undefined;
  private readonly listening: Recurring | undefined;
  private newest: number;
  private learntAt = Date.now();

  constructor(
    @InjectRepository(Revocation) private readonly revocations: Repository<Revocation>,
    config: Config,
    database: Database,
    metrics: Metrics,
    readiness: Readiness,
  ) {
    this.lifetime = (config.jwt.expires + config.sessions.reuseWindow) * 1000 + SLACK;
    this.list = new RevocationList(this.lifetime);
    this.newest = Date.now() - this.lifetime + SLACK;
    this.poll = new Recurring('Asking for revocations', POLL, () => this.learn(), this.logger);
    this.ear = database.listener(REVOCATIONS_CHANNEL);
    this.ear?.on('heard', () => void this.poll.now());
    this.listening =
      this.ear &&
      new Recurring('Listening for revocations', POLL, () => this.listen(), this.logger);
    metrics.gauge({
      name: 'latchkey_revocations',
      help: 'Sessions and users whose access tokens are refused',
      collect: () => this.list.size,
    });
    metrics.gauge({
      name: 'latchkey_revocation_lag_seconds',
      help: 'Time since the revocations of other instances were last asked for with success',
      collect: () => this.lag / 1000,
    });
    readiness.add('revocations', () => {
      if (this.lag > LAG_LIMIT) throw new Error('Revocations of other instances are not learnt');
    });
  }

  /** What speaks against a token; undefined if nothing does. */
  verdict(origin: TokenOrigin): Verdict | undefined {
    return this.list.verdict(origin);
  }

  /** Makes committed revocations of this process hold at once. */
  announce(revocations: Iterable<Revocation>): void {
    for (const revocation of revocations) this.list.add(revocation);
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.learn();
    this.poll.start();
    await this.listening?.now();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await Promise.all([this.poll.stop(), this.listening?.stop()]);
    await this.ear?.close();
  }

  /** Milliseconds since the rows were last read. */
  private get lag(): number {
    return Date.now() - this.learntAt;
  }

  private async listen(): Promise<void> {
    if (!this.ear || this.ear.connected) return;
    await this.ear.connect();
    // What was told while nobody listened is found by asking.
    await this.poll.now();
  }

  private async learn(): Promise<void> {
    const askedAt = Date.now();
    const revokedAt = MoreThan(new Date(this.newest - SLACK));
    const rows = await this.revocations.findBy({ revokedAt });
    for (const row of rows) {
      this.list.add(row);
      this.newest = Math.max(this.newest, row.revokedAt.getTime());
    }
    this.list.prune(askedAt);
    this.learntAt = askedAt;
  }
}
