import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { EntityManager, Repository } from 'typeorm';
import { clock } from '../common/clock.js';
import { Metrics } from '../common/metrics.js';
import { Config } from '../config/config.js';
import { ChangeFeed, type Subscription } from '../database/change-feed.js';
import { CommitOrder, positionSql } from '../database/commit-order.js';
import { Database } from '../database/database.js';
import { User } from '../users/user.entity.js';
import { Revocation } from './revocation.entity.js';
import { REUSE_WINDOW } from './refresh-token.js';
import { RevocationList, type Revoked, type TokenOrigin, type Verdict } from './revocation-list.js';

/** How long a transaction may take to commit after it took its time, in milliseconds. */
const COMMIT_TIME = 60_000;

/** Rows that one statement inserts. */
const ROWS_PER_INSERT = 500;

/** Higher than any version. */
const EVERY_VERSION = 2_147_483_647;

/**
 * Revokes access tokens before they expire, and checks a token without reading the database. A revocation holds in
 * this process as soon as its transaction is committed. Other instances load it within a second, and on PostgreSQL
 * at once, after a NOTIFY.
 */
@Injectable()
export class RevocationsService {
  /** How long a revocation matters, in milliseconds: every token made before it has then expired. */
  readonly lifetime: number;
  private readonly list: RevocationList;
  private readonly subscription: Subscription;
  private readonly order: CommitOrder<Revocation>;

  constructor(
    @InjectRepository(Revocation) revocations: Repository<Revocation>,
    config: Config,
    private readonly database: Database,
    private readonly changeFeed: ChangeFeed,
    metrics: Metrics,
  ) {
    this.lifetime = (config.jwt.expires + REUSE_WINDOW) * 1000 + COMMIT_TIME;
    this.list = new RevocationList(this.lifetime);
    this.order = new CommitOrder(revocations, 'revocations');
    this.subscription = changeFeed.subscribe({ name: 'revocations', load: () => this.load() });
    metrics.gauge({
      name: 'latchkey_revocations',
      help: 'Sessions and users whose access tokens are refused',
      collect: () => this.list.size,
    });
    metrics.gauge({
      name: 'latchkey_revocation_lag_seconds',
      help: 'Time since the revocations of other instances were last asked for with success',
      collect: () => this.subscription.lag / 1000,
    });
  }

  /** Returns why a token is refused, or undefined if no revocation concerns it. */
  verdict(origin: TokenOrigin): Verdict | undefined {
    return this.list.verdict(origin);
  }

  /** Ends the access tokens of some sessions of a user. */
  async revokeSessions(manager: EntityManager, userId: string, ids: string[]): Promise<void> {
    await this.revoke(
      manager,
      ids.map((sessionId) => ({ userId, sessionId })),
    );
  }

  /** Outdates the user's access tokens, so that a refresh has to bring new ones. */
  outdateTokens(manager: EntityManager, userId: string): Promise<void> {
    return this.raiseVersion(manager, userId, true);
  }

  /** Ends all of the user's access tokens for good. */
  revokeTokens(manager: EntityManager, userId: string): Promise<void> {
    return this.raiseVersion(manager, userId, false);
  }

  /** Ends the access tokens of a user whose rows are removed in this transaction. */
  forgetUser(manager: EntityManager, userId: string): Promise<void> {
    return this.revoke(manager, [{ userId, belowVersion: EVERY_VERSION }]);
  }

  private async raiseVersion(
    manager: EntityManager,
    userId: string,
    stale: boolean,
  ): Promise<void> {
    await manager.increment(User, { id: userId }, 'tokenVersion', 1);
    const user = await manager.findOneOrFail(User, {
      select: { tokenVersion: true },
      where: { id: userId },
    });
    await this.revoke(manager, [{ userId, belowVersion: user.tokenVersion, stale }]);
  }

  private async revoke(
    manager: EntityManager,
    rows: (Pick<Revoked, 'userId'> & Partial<Revoked>)[],
  ): Promise<void> {
    if (rows.length === 0) return;
    const revokedAt = clock.date();
    const revocations = rows.map((row) => ({
      sessionId: null,
      belowVersion: null,
      stale: false,
      ...row,
      id: randomUUID(),
      revokedAt,
    }));
    const position = () => positionSql(manager, 'revocations');
    for (let i = 0; i < revocations.length; i += ROWS_PER_INSERT) {
      const some = revocations.slice(i, i + ROWS_PER_INSERT).map((row) => ({ ...row, position }));
      await manager.insert(Revocation, some);
    }
    await this.changeFeed.notify(manager);
    this.database.afterCommit(manager, () => {
      for (const revocation of revocations) this.list.add(revocation);
    });
  }

  private async load(): Promise<void> {
    for (const row of await this.order.next()) this.list.add(row);
    this.list.prune(clock.now());
  }
}
