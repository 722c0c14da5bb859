import { randomBytes, randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { EntityManager, Repository } from 'typeorm';
import { type OwnRequest, SignedInUserService } from '../auth/signed-in-user.service.js';
import { WaysIn } from '../auth/ways-in.js';
import { ApiError } from '../common/api-error.js';
import { clock } from '../common/clock.js';
import { isUuid } from '../common/uuid.js';
import { Database, violatedUniqueIndex } from '../database/database.js';
import { FactorsService } from '../factors/factors.service.js';
import { KIND, methodsOf } from './passkey-kind.js';
import { Passkey } from './passkey.entity.js';
import { type RegisterPasskeyBody, transportsOf } from './passkeys.schemas.js';
import { ALGORITHMS, type CreationOptions, descriptorOf, TIMEOUT } from './passkeys.views.js';
import { RelyingParty } from './relying-party.js';
import { verifyAttestation } from './webauthn.js';
import { WebauthnChallengesService } from './webauthn-challenges.service.js';
import { WebauthnHandle } from './webauthn-handle.entity.js';

/** The most passkeys of one user. */
const MAX_PASSKEYS = 10;

/** The passkeys of signed-in users: registration, names and removal. */
@Injectable()
export class PasskeysService {
  constructor(
    @InjectRepository(Passkey) private readonly passkeys: Repository<Passkey>,
    private readonly database: Database,
    private readonly party: RelyingParty,
    private readonly challenges: WebauthnChallengesService,
    private readonly factors: FactorsService,
    private readonly users: SignedInUserService,
    waysIn: WaysIn,
  ) {
    waysIn.add((manager, { id: userId }) =>
      manager.existsBy(Passkey, { userId, rpId: this.party.id }),
    );
  }

  /** Returns the passkeys of a user, the oldest first, and the handle if the user has one. */
  async list(userId: string): Promise<{ passkeys: Passkey[]; handle: string | null }> {
    const order = { createdAt: 'ASC', id: 'ASC' } as const;
    const passkeys = await this.passkeys.find({ where: { userId }, order });
    const found = await this.passkeys.manager.findOneBy(WebauthnHandle, { userId });
    return { passkeys, handle: found?.handle ?? null };
  }

  /** Begins the registration of a passkey. @throws ApiError too_many_factors */
  options({ userId }: Pick<OwnRequest, 'userId'>): Promise<CreationOptions> {
    return this.database.transaction(async (manager) => {
      const user = await this.users.lock(manager, userId);
      const own = await manager.findBy(Passkey, { userId });
      if (own.length >= MAX_PASSKEYS) throw new ApiError('too_many_factors');
      const id = await handleOf(manager, userId);
      return {
        challenge: this.challenges.make('registration', userId),
        rp: { id: this.party.id, name: this.party.name },
        user: { id, name: user.username, displayName: user.displayName ?? user.username },
        pubKeyCredParams: ALGORITHMS.map((alg) => ({ type: 'public-key' as const, alg })),
        timeout: TIMEOUT,
        attestation: 'none',
        excludeCredentials: own.map(descriptorOf),
        authenticatorSelection: {
          residentKey: 'required',
          requireResidentKey: true,
          userVerification: 'required',
        },
        extensions: { credProps: true },
      };
    });
  }

  /**
   * Stores a new passkey. If it is the user's first factor, the recovery codes come with it.
   *
   * @param name the user's name for it
   * @throws ApiError passkey_invalid, passkey_challenge_invalid, passkey_taken, too_many_factors, token_revoked
   */
  async register(
    own: OwnRequest,
    { response }: RegisterPasskeyBody,
    name: string,
  ): Promise<{ id: string; name: string; recovery_codes?: string[] }> {
    const { userId } = own;
    const { challenge, value: credential } = await verifyAttestation(this.party, response);
    const transports = transportsOf(response.response.transports);
    const id = randomUUID();
    const work = async (manager: EntityManager): Promise<string[] | undefined> => {
      const user = await this.users.lock(manager, userId);
      await this.challenges.use(manager, challenge, 'registration', userId);
      const count = await manager.countBy(Passkey, { userId });
      if (count >= MAX_PASSKEYS) throw new ApiError('too_many_factors');
      const times = { createdAt: clock.date(), lastUsedAt: null };
      const rpId = this.party.id;
      await manager.insert(Passkey, {
        id,
        userId,
        ...credential,
        rpId,
        transports,
        name,
        ...times,
      });
      const amr = methodsOf(credential);
      return this.factors.enrolled(manager, user, own, { kind: KIND, name, amr });
    };
    const codes = await this.database.transaction(work).catch((error: unknown) => {
      if (violatedUniqueIndex(error)?.includes('credential_id'))
        throw new ApiError('passkey_taken');
      throw error;
    });
    return { id, name, ...(codes && { recovery_codes: codes }) };
  }

  /** Gives a passkey another name, and returns it. @throws ApiError not_found */
  async rename(own: OwnRequest, id: string, name: string): Promise<Passkey> {
    const passkey = await ownPasskey(this.passkeys.manager, own.userId, id);
    await this.factors.renameOwn(own, id, name);
    return { ...passkey, name };
  }

  /** Removes a passkey, and returns it. @throws ApiError not_found, last_credential */
  async removeOwn(own: OwnRequest, id: string): Promise<Passkey> {
    const passkey = await ownPasskey(this.passkeys.manager, own.userId, id);
    await this.factors.removeOwn(own, id);
    return passkey;
  }
}

/** Returns a user's passkey. @throws ApiError not_found */
async function ownPasskey(manager: EntityManager, userId: string, id: string): Promise<Passkey> {
  // PostgreSQL cannot compare every text, such as one with a NUL.
  const found = isUuid(id) ? await manager.findOneBy(Passkey, { id, userId }) : null;
  if (!found) throw new ApiError('not_found', { msg: 'There is no such passkey' });
  return found;
}

/** Returns the handle of a user, which is made once. The transaction holds the lock on the user's row. */
async function handleOf(manager: EntityManager, userId: string): Promise<string> {
  const found = await manager.findOneBy(WebauthnHandle, { userId });
  if (found) return found.handle;
  const handle = randomBytes(32).toString('base64url');
  await manager.insert(WebauthnHandle, { userId, handle });
  return handle;
}
