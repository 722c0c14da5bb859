import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { type EntityManager, In, IsNull } from 'typeorm';
import { ApiError } from '../common/api-error.js';
import { clock } from '../common/clock.js';
import { EventsService } from '../common/events.service.js';
import { Keyring } from '../keys/keyring.js';
import type { User } from '../users/user.entity.js';
import type { ByUser } from '../users/user-events.js';
import { FactorKinds } from './factor-kinds.js';
import { RecoveryCode } from './recovery-code.entity.js';

const PURPOSE = 'latchkey recovery code';

/** The number of codes of a user. */
const CODES = 10;

/** Crockford's base 32: no letter looks like a digit or another letter. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** The characters of a code, of 5 bits each: 80 bits. */
const LENGTH = 16;

/**
 * The codes with which a user signs in after losing all second factors. The database holds an HMAC-SHA-256 of
 * each, under a key that is derived from the server's secret.
 */
@Injectable()
export class RecoveryCodesService {
  constructor(
    private readonly keyring: Keyring,
    private readonly events: EventsService,
    kinds: FactorKinds,
  ) {
    kinds.addMethod({
      name: 'recovery_code',
      field: 'recovery_code',
      isAvailable: async (manager, userId) => (await this.left(manager, userId)) > 0,
      prove: (manager, user, code, locale) => this.use(manager, user, code, locale),
    });
  }

  /** Makes new codes, which end the old ones, in a transaction that holds the lock on the user's row. */
  async make(manager: EntityManager, user: User, byUser?: ByUser): Promise<string[]> {
    const userId = user.id;
    const createdAt = clock.date();
    const codes = Array.from({ length: CODES }, newCode);
    await this.forget(manager, userId);
    await manager.insert(
      RecoveryCode,
      codes.map((code) => ({
        id: randomUUID(),
        userId,
        mac: this.macs(userId, readCode(code) ?? '')[0],
        createdAt,
        usedAt: null,
      })),
    );
    const event = { user, change: 'made', left: CODES, byUser } as const;
    await this.events.publish(manager, { type: 'recovery_codes.changed', ...event });
    return codes;
  }

  /** Deletes the codes of a user. */
  async forget(manager: EntityManager, userId: string): Promise<void> {
    await manager.delete(RecoveryCode, { userId });
  }

  /** Returns the number of unused codes. */
  left(manager: EntityManager, userId: string): Promise<number> {
    return manager.countBy(RecoveryCode, { userId, usedAt: IsNull() });
  }

  /** Uses a code up. Blanks, hyphens and case do not matter. @throws ApiError code_invalid */
  private async use(
    manager: EntityManager,
    user: User,
    typed: unknown,
    locale?: string,
  ): Promise<string[]> {
    const code = typeof typed === 'string' ? readCode(typed) : undefined;
    if (code === undefined) throw wrongCode();
    const { affected } = await manager.update(
      RecoveryCode,
      { userId: user.id, mac: In(this.macs(user.id, code)), usedAt: IsNull() },
      { usedAt: clock.date() },
    );
    if (affected !== 1) throw wrongCode();
    const left = await this.left(manager, user.id);
    const event = { user, change: 'used', left, byUser: { locale } } as const;
    await this.events.publish(manager, { type: 'recovery_codes.changed', ...event });
    return ['recovery'];
  }

  /** The MACs of a code under the current secret, and under each earlier one that still verifies. */
  private macs(userId: string, code: string): string[] {
    return this.keyring
      .deriveAll(PURPOSE, userId)
      .map((key) => createHmac('sha256', key).update(code).digest('base64url'));
  }
}

const wrongCode = (): ApiError =>
  new ApiError('code_invalid', { msg: 'This recovery code is wrong or was used before' });

/** Returns a random code in four groups, such as `7K3M-…`. */
function newCode(): string {
  const characters = Array.from(randomBytes(LENGTH), (byte) => ALPHABET[byte % 32]);
  return characters.join('').replace(/(.{4})(?=.)/g, '$1-');
}

/** Returns a typed code in its stored form; undefined if it cannot be one. */
function readCode(typed: string): string | undefined {
  const code = typed
    .replaceAll(/[\s-]/g, '')
    .toUpperCase()
    .replaceAll('O', '0')
    .replaceAll(/[IL]/g, '1');
  return code.length === LENGTH && [...code].every((one) => ALPHABET.includes(one))
    ? code
    : undefined;
}
