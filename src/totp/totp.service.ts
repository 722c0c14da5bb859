import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { type EntityManager, In, IsNull, MoreThan } from 'typeorm';
import { type OwnRequest, SignedInUserService } from '../auth/signed-in-user.service.js';
import { ApiError } from '../common/api-error.js';
import { clock } from '../common/clock.js';
import { DailyCleanup } from '../common/daily-cleanup.js';
import { isUuid } from '../common/uuid.js';
import { Config } from '../config/config.js';
import { Database } from '../database/database.js';
import { FactorsService } from '../factors/factors.service.js';
import { enrolmentUri, newSecret } from './totp-code.js';
import { TotpFactor } from './totp-factor.entity.js';
import { TOTP, TotpFactors, wrongCode } from './totp-factors.js';
import { TotpSecrets } from './totp-secrets.js';

/** The most apps of a user. */
const MOST = 10;

/** The most enrolments of a user that wait for their first code. A further one ends the oldest. */
const MOST_WAITING = 5;

/** How long an enrolment waits, in milliseconds. */
const WAIT = 600_000;

/** The name of an app that its user gives no name. */
const DEFAULT_NAME = 'Authenticator app';

/** A new app, which its first code confirms. */
export interface Enrolment {
  id: string;
  /** In base 32. */
  secret: string;
  uri: string;
}

/** The enrolment of authenticator apps. */
@Injectable()
export class TotpService {
  private readonly issuer: string;

  constructor(
    { jwt: { issuer } }: Config,
    private readonly database: Database,
    private readonly users: SignedInUserService,
    private readonly factors: FactorsService,
    private readonly apps: TotpFactors,
    private readonly secrets: TotpSecrets,
    cleanup: DailyCleanup,
  ) {
    // The app shows it, and a host is easier to read than an address.
    this.issuer = URL.canParse(issuer) ? new URL(issuer).hostname || issuer : issuer;
    cleanup.add('Removing unconfirmed authenticator apps', () =>
      this.database.deleteAll(TotpFactor, 'confirmed_at IS NULL AND created_at < :since', {
        since: clock.now() - WAIT,
      }),
    );
  }

  /** Makes the secret of a new app. @throws ApiError too_many_factors */
  start({ userId }: OwnRequest, name = DEFAULT_NAME): Promise<Enrolment> {
    return this.database.transaction(async (manager) => {
      const { username } = await this.users.lock(manager, userId);
      await this.expectRoom(manager, userId);
      await this.endOldest(manager, userId);
      const [id, secret] = [randomUUID(), newSecret()];
      await manager.insert(TotpFactor, {
        id,
        userId,
        name,
        ...this.secrets.seal(id, secret),
        createdAt: clock.date(),
        confirmedAt: null,
        lastStep: 0,
        lastUsedAt: null,
      });
      const uri = enrolmentUri(secret, { issuer: this.issuer, account: username });
      return { id, secret, uri };
    });
  }

  /**
   * Confirms a new app by its first code, which is used up by that.
   *
   * @returns the recovery codes if it is the user's first factor
   * @throws ApiError not_found, code_invalid, too_many_factors, token_revoked
   */
  confirm(request: OwnRequest, id: string, code: string): Promise<string[] | undefined> {
    const { userId } = request;
    return this.database.transaction(async (manager) => {
      const user = await this.users.lock(manager, userId);
      const app = isUuid(id) && (await manager.findOneBy(TotpFactor, { id, ...waiting(userId) }));
      if (!app) {
        throw new ApiError('not_found', { msg: 'This enrolment does not exist or has expired' });
      }
      await this.expectRoom(manager, userId);
      const changes = { confirmedAt: clock.date() };
      if (!(await this.apps.spend(manager, app, code, changes))) throw wrongCode();
      const { name } = app;
      return this.factors.enrolled(manager, user, request, { kind: TOTP, name, amr: ['otp'] });
    });
  }

  private async expectRoom(manager: EntityManager, userId: string): Promise<void> {
    if ((await this.apps.count(manager, userId)) >= MOST) throw new ApiError('too_many_factors');
  }

  private async endOldest(manager: EntityManager, userId: string): Promise<void> {
    const surplus = await manager.find(TotpFactor, {
      select: { id: true },
      where: { userId, confirmedAt: IsNull() },
      order: { createdAt: 'DESC', id: 'ASC' },
      skip: MOST_WAITING - 1,
    });
    const ids = surplus.map(({ id }) => id);
    if (ids.length > 0) await manager.delete(TotpFactor, { id: In(ids) });
  }
}

/** The enrolments of a user that still wait for their first code. */
const waiting = (userId: string) => ({
  userId,
  confirmedAt: IsNull(),
  createdAt: MoreThan(new Date(clock.now() - WAIT)),
});
