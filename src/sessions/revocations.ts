import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { Repository } from 'typeorm';
import { clock } from '../common/clock.js';
import { Metrics } from '../common/metrics.js';
import { Config } from '../config/config.js';
import { CommitOrder } from '../database/commit-order.js';
import { type Follower, Following } from '../database/following.js';
import { Revocation } from './revocation.entity.js';
import { RevocationList, type Revoked, type TokenOrigin, type Verdict } from './revocation-list.js';

/** How long a transaction may take to commit after it took its time, in milliseconds. */
const SLACK = 60_000;

/**
 * Which access tokens are no longer good although they have not expired, known without a read of the
 * database: loaded at the start, changed at once by this process's own requests, learnt from other
 * instances by NOTIFY where there is PostgreSQL and by asking every second everywhere.
 */
@Injectable()
export class Revocations {
  /** How long a revocation matters, in milliseconds: no token lives longer after it. */
  readonly lifetime: number;
  private readonly list: RevocationList;
  private readonly follower: Follower;
  private readonly order: CommitOrder<Revocation>;

  constructor(
    @InjectRepository(Revocation) revocations: Repository<Revocation>,
    config: Config,
    following: Following,
    metrics: Metrics,
  ) {
    this.lifetime = (config.jwt.expires + config.sessions.reuseWindow) * 1000 + SLACK;
    this.list = new RevocationList(this.lifetime);
    this.order = new CommitOrder(revocations, 'revocations');
    this.follower = following.add({ name: 'revocations', learn: () => this.learn() });
    metrics.gauge({
      name: 'latchkey_revocations',
      help: 'Sessions and users whose access tokens are refused',
      collect: () => this.list.size,
    });
    metrics.gauge({
      name: 'latchkey_revocation_lag_seconds',
      help: 'Time since the revocations of other instances were last asked for with success',
      collect: () => this.follower.lag / 1000,
    });
  }

  /** What speaks against a token; undefined if nothing does. */
  verdict(origin: TokenOrigin): Verdict | undefined {
    return this.list.verdict(origin);
  }

  /** Makes committed revocations of this process hold at once. */
  announce(revocations: Iterable<Revoked>): void {
    for (const revocation of revocations) this.list.add(revocation);
  }

  private async learn(): Promise<void> {
    for (const row of await this.order.next()) this.list.add(row);
    this.list.prune(clock.now());
  }
}
