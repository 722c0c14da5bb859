import { Injectable, Logger } from '@nestjs/common';
import { type EntityManager, IsNull, LessThan, Not } from 'typeorm';
import { ApiError } from '../common/api-error.js';
import { clock } from '../common/clock.js';
import { FactorKinds } from '../factors/factor-kinds.js';
import type { Factor } from '../users/second-factors.js';
import type { User } from '../users/user.entity.js';
import { stepOfCode } from './totp-code.js';
import { TotpFactor } from './totp-factor.entity.js';
import { TotpSecrets } from './totp-secrets.js';

/** The name of the kind. */
export const TOTP = 'totp';

/** The authenticator apps that users have confirmed, and their codes. */
@Injectable()
export class TotpFactors {
  private readonly logger = new Logger(TotpFactors.name);

  constructor(
    private readonly secrets: TotpSecrets,
    kinds: FactorKinds,
  ) {
    kinds.add(
      {
        kind: TOTP,
        list: async (manager, userId) => (await this.find(manager, userId)).map(toFactor),
        rename: (manager, userId, id, name) => this.rename(manager, userId, id, name),
        delete: (manager, userId, id) => this.delete(manager, userId, id),
      },
      {
        name: TOTP,
        field: 'code',
        isAvailable: async (manager, userId) => (await this.count(manager, userId)) > 0,
        prove: (manager, user, code) => this.prove(manager, user, code),
      },
    );
  }

  /** Returns the number of a user's confirmed apps. */
  count(manager: EntityManager, userId: string): Promise<number> {
    return manager.countBy(TotpFactor, { userId, confirmedAt: Not(IsNull()) });
  }

  /**
   * Uses a code of an app up. One conditional statement moves the last accepted step, so of many requests at
   * once one succeeds, and a code of an earlier step is refused. Returns false if the code is wrong or used.
   *
   * @param changes further columns to set with it
   */
  async spend(
    manager: EntityManager,
    app: TotpFactor,
    code: string,
    changes: Partial<TotpFactor> = {},
  ): Promise<boolean> {
    const secret = this.secrets.open(app);
    if (secret === undefined) {
      this.logger.warn('The secret of an authenticator app cannot be decrypted any more');
      return false;
    }
    const step = stepOfCode(secret, code, clock.now());
    if (step === undefined) return false;
    const { affected } = await manager.update(
      TotpFactor,
      { id: app.id, lastStep: LessThan(step) },
      { lastStep: step, ...changes },
    );
    return affected === 1;
  }

  private async prove(manager: EntityManager, { id }: User, code: unknown): Promise<string[]> {
    for (const app of await this.find(manager, id)) {
      const changes = { lastUsedAt: clock.date() };
      if (await this.spend(manager, app, String(code), changes)) return ['otp'];
    }
    throw wrongCode();
  }

  private find(manager: EntityManager, userId: string): Promise<TotpFactor[]> {
    return manager.find(TotpFactor, {
      where: { userId, confirmedAt: Not(IsNull()) },
      order: { createdAt: 'ASC', id: 'ASC' },
    });
  }

  private async rename(
    manager: EntityManager,
    userId: string,
    id: string,
    name: string,
  ): Promise<Factor | undefined> {
    const app = (await this.find(manager, userId)).find((one) => one.id === id);
    if (!app) return undefined;
    await manager.update(TotpFactor, { id }, { name });
    return toFactor({ ...app, name });
  }

  private async delete(manager: EntityManager, userId: string, id?: string): Promise<Factor[]> {
    const apps = await this.find(manager, userId);
    const removed = id === undefined ? apps : apps.filter((app) => app.id === id);
    for (const app of removed) await manager.delete(TotpFactor, { id: app.id });
    return removed.map(toFactor);
  }
}

/** The refusal of a wrong code. It does not reveal whether the code was right before. */
export const wrongCode = (): ApiError =>
  new ApiError('code_invalid', {
    msg: 'This code is wrong or was used before; wait for the next one',
  });

const toFactor = ({ id, name, createdAt, lastUsedAt }: TotpFactor): Factor => ({
  id,
  kind: TOTP,
  name,
  createdAt,
  lastUsedAt,
});
