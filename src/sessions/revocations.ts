import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { MoreThan, type Repository } from 'typeorm';
import { Metrics } from '../common/metrics.js';
import { Config } from '../config/config.js';
import { type Follower, Following } from '../database/following.js';
import { Revocation } from './revocation.entity.js';
import { RevocationList, type TokenOrigin, type Verdict } from './revocation-list.js';

/**
 * How far the clocks of instances may be apart, and how long a transaction may take to commit after
 * it took its time, in milliseconds.
 */
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
  private newest: number;

  constructor(
    @InjectRepository(Revocation) private readonly revocations: Repository<Revocation>,
    config: Config,
    following: Following,
    metrics: Metrics,
  ) {
    this.lifetime = (config.jwt.expires + config.sessions.reuseWindow) * 1000 + SLACK;
    this.list = new RevocationList(this.lifetime);
    this.newest = Date.now() - this.lifetime + SLACK;
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
  announce(revocations: Iterable<Revocation>): void {
    for (const revocation of revocations) this.list.add(revocation);
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
  }
}
