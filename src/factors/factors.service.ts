import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type EntityManager, type Repository } from 'typeorm';
import { EnrolmentPolicy } from '../auth/enrolment-policy.js';
import { type OwnRequest, SignedInUserService } from '../auth/signed-in-user.service.js';
import { WaysIn } from '../auth/ways-in.js';
import { ApiError } from '../common/api-error.js';
import { clock } from '../common/clock.js';
import { EventsService } from '../common/events.service.js';
import { isUuid } from '../common/uuid.js';
import { Database } from '../database/database.js';
import { RevocationsService } from '../sessions/revocations.service.js';
import { SessionsService } from '../sessions/sessions.service.js';
import {
  type EnrolledFactors,
  type Factor,
  type FactorChoice,
  SecondFactors,
} from '../users/second-factors.js';
import { User } from '../users/user.entity.js';
import { type FactorKind, FactorKinds } from './factor-kinds.js';
import { RecoveryCode } from './recovery-code.entity.js';
import { RecoveryCodesService } from './recovery-codes.service.js';

/** The second factors of users, of every kind. */
@Injectable()
export class FactorsService {
  constructor(
    @InjectRepository(RecoveryCode) private readonly reader: Repository<RecoveryCode>,
    private readonly database: Database,
    private readonly kinds: FactorKinds,
    private readonly recoveryCodes: RecoveryCodesService,
    private readonly users: SignedInUserService,
    private readonly sessions: SessionsService,
    private readonly waysIn: WaysIn,
    private readonly revocations: RevocationsService,
    private readonly enrolment: EnrolmentPolicy,
    private readonly events: EventsService,
    seenByOthers: SecondFactors,
  ) {
    seenByOthers.use({
      list: (userId) => this.list(userId),
      reset: (manager, user, which = {}) => this.removeIn(manager, user, which),
    });
  }

  /** Returns the enrolled factors of a user, and the number of unused recovery codes. */
  async list(userId: string): Promise<EnrolledFactors> {
    const { manager } = this.reader;
    return {
      factors: await this.kinds.list(manager, userId),
      recoveryCodesLeft: await this.recoveryCodes.left(manager, userId),
    };
  }

  /**
   * Completes the enrolment of a factor, in the transaction that stores it and holds the lock on the user's row.
   * The session gets assurance level 2, because its user has proven the new factor. With the first factor all
   * other sessions end, because they were started without one.
   *
   * @param amr the names of the proven methods (RFC 8176)
   * @returns the recovery codes if it is the first factor
   * @throws ApiError token_revoked if the session has ended
   */
  async enrolled(
    manager: EntityManager,
    user: User,
    { claims, locale }: OwnRequest,
    { kind, name, amr }: { kind: string; name: string; amr: string[] },
  ): Promise<string[] | undefined> {
    const { id: userId } = user;
    const own = { id: claims.sid, userId };
    if (!(await this.sessions.stepUp(manager, own, { amr, aal: 2 }))) {
      throw new ApiError('token_revoked');
    }
    const byUser = { locale };
    const event = { user, change: 'added', kind, name, byUser } as const;
    await this.events.publish(manager, { type: 'factor.changed', ...event });
    if (user.secondFactorSince) return undefined;
    await manager.update(User, { id: userId }, { secondFactorSince: clock.date() });
    await this.sessions.endIn(manager, { userId, except: claims.sid }, 'factor_added');
    return this.recoveryCodes.make(manager, user, byUser);
  }

  /**
   * Removes one of the user's own factors. Without the last one, the recovery codes end too, and the user's
   * sessions fall to assurance level 1.
   *
   * @throws ApiError not_found; last_credential if the user could not sign in any more
   */
  removeOwn({ userId, locale }: OwnRequest, id: string): Promise<Factor> {
    return this.database.transaction(async (manager) => {
      const user = await this.users.lock(manager, userId);
      const which = { id: factorId(id), byUser: { locale } };
      const [removed] = await this.removeIn(manager, user, which);
      if (!removed) throw noSuchFactor();
      await this.waysIn.expectOne(manager, user);
      return removed;
    });
  }

  /** Gives one of the user's own factors another name. @throws ApiError not_found */
  renameOwn({ userId, locale }: OwnRequest, id: string, name: string): Promise<Factor> {
    return this.database.transaction(async (manager) => {
      const user = await this.users.lock(manager, userId);
      for (const { rename } of this.kinds.all) {
        const renamed = await rename(manager, userId, factorId(id), name);
        if (!renamed) continue;
        const event = { user, kind: renamed.kind, name, byUser: { locale } } as const;
        await this.events.publish(manager, { type: 'factor.changed', change: 'renamed', ...event });
        return renamed;
      }
      throw noSuchFactor();
    });
  }

  /**
   * Makes new recovery codes for a user with a factor; the old ones end.
   *
   * @throws ApiError not_found if the user has no factor
   */
  renewRecoveryCodes({ userId, locale }: OwnRequest): Promise<string[]> {
    return this.database.transaction(async (manager) => {
      const user = await this.users.lock(manager, userId);
      if (!user.secondFactorSince) {
        throw new ApiError('not_found', { msg: 'Add a second factor first' });
      }
      return this.recoveryCodes.make(manager, user, { locale });
    });
  }

  /**
   * Removes factors in a transaction that holds the lock on the user's row: one by its id, those of a kind or since
   * a time, or all. Without `byUser` an operator does it, which ends all sessions of the user. Returns the removed ones.
   */
  async removeIn(
    manager: EntityManager,
    user: User,
    which: FactorChoice & { kind?: string; byUser?: { locale?: string } },
  ): Promise<Factor[]> {
    const { id, since, kind, byUser } = which;
    const removed: Factor[] = [];
    for (const one of this.kinds.all) {
      if (kind !== undefined && one.kind !== kind) continue;
      for (const chosen of since ? await idsSince(one, manager, user.id, since) : [id]) {
        removed.push(...(await one.delete(manager, user.id, chosen)));
      }
    }
    if (removed.length > 0 && (await this.kinds.list(manager, user.id)).length === 0) {
      await manager.update(User, { id: user.id }, { secondFactorSince: null });
      // The password alone must not keep a session at level 2.
      if (byUser) await this.sessions.lower(manager, user.id);
      // Living tokens must not keep the roles that need a factor.
      if (byUser && this.enrolment.concerns(user)) {
        await this.revocations.outdateTokens(manager, user.id);
      }
      await this.recoveryCodes.forget(manager, user.id);
    }
    if (removed.length === 0) return [];
    if (!byUser) {
      const kinds = [...new Set(removed.map((factor) => factor.kind))];
      await this.events.publish(manager, { type: 'factors.reset', user, kinds, endedSessions: 0 });
      return removed;
    }
    for (const { kind, name } of removed) {
      const event = { user, change: 'removed', kind, name, byUser } as const;
      await this.events.publish(manager, { type: 'factor.changed', ...event });
    }
    return removed;
  }
}

/** Returns the ids of the factors of a kind that a user enrolled since a time. */
async function idsSince(kind: FactorKind, manager: EntityManager, userId: string, since: Date) {
  const factors = await kind.list(manager, userId);
  return factors.filter(({ createdAt }) => createdAt >= since).map(({ id }) => id);
}

const noSuchFactor = (): ApiError => new ApiError('not_found', { msg: 'There is no such factor' });

/** Returns the id in a path. PostgreSQL cannot compare every text, such as one with a NUL. */
function factorId(id: string): string {
  if (!isUuid(id)) throw noSuchFactor();
  return id;
}
