import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { Repository } from 'typeorm';
import type { LoginFailure } from '../audit/failed-logins.js';
import type { Tokens } from '../auth/auth.schemas.js';
import { SignInsService } from '../auth/sign-ins.service.js';
import { ApiError } from '../common/api-error.js';
import { Database } from '../database/database.js';
import { ChallengesService } from '../factors/challenges.service.js';
import { FactorKinds } from '../factors/factor-kinds.js';
import { recordRefusal } from '../factors/recorded-refusal.js';
import type { Origin } from '../sessions/session-start.service.js';
import { lockUser } from '../users/lock-user.js';
import type { User } from '../users/user.entity.js';
import { KIND, passkeyKind } from './passkey-kind.js';
import { PasskeyProofsService, type SignedAnswer } from './passkey-proofs.service.js';
import { Passkey } from './passkey.entity.js';
import { type Assertion, assertionSchema } from './passkeys.schemas.js';
import { descriptorOf, type RequestOptions, TIMEOUT } from './passkeys.views.js';
import { RelyingParty } from './relying-party.js';
import { invalid } from './webauthn.js';
import { WebauthnChallengesService } from './webauthn-challenges.service.js';

/** Signs users in by passkeys: alone, or as the second factor of another sign-in. */
@Injectable()
export class PasskeySignInService {
  constructor(
    @InjectRepository(Passkey) private readonly passkeys: Repository<Passkey>,
    private readonly database: Database,
    private readonly party: RelyingParty,
    private readonly challenges: WebauthnChallengesService,
    private readonly proofs: PasskeyProofsService,
    private readonly signIns: SignInsService,
    private readonly waiting: ChallengesService,
    kinds: FactorKinds,
  ) {
    kinds.add(passkeyKind, {
      name: KIND,
      field: KIND,
      isAvailable: (manager, userId) => manager.existsBy(Passkey, { userId, rpId: this.party.id }),
      prepare: (userId, proof) => this.prepare(userId, proof),
      prove: (manager, { id }, proof) => this.proofs.use(manager, id, proof as SignedAnswer),
    });
  }

  /**
   * Begins a sign-in. Without the challenge of a waiting sign-in it is for no user in particular, so it reveals
   * no account.
   *
   * @throws ApiError challenge_invalid
   */
  async options(origin: Origin, waiting?: string): Promise<RequestOptions> {
    const userId = waiting === undefined ? null : (await this.waiting.find(waiting, origin)).userId;
    const rpId = this.party.id;
    const allowed = userId === null ? [] : await this.passkeys.findBy({ userId, rpId });
    return {
      challenge: this.challenges.make('sign_in', userId),
      rpId,
      timeout: TIMEOUT,
      userVerification: 'required',
      allowCredentials: allowed.map(descriptorOf),
    };
  }

  /**
   * Signs the owner of a passkey in. The passkey and the user verification are two factors in one gesture. One
   * transaction uses the answer up and starts the session, so a crash between them leaves all or nothing.
   *
   * @throws ApiError passkey_invalid, passkey_unknown, passkey_challenge_invalid, passkey_copied, user_disabled,
   *   email_not_verified
   */
  signIn(answer: Assertion, origin: Origin): Promise<Tokens> {
    return this.signIns.attempt(this.complete(answer, origin));
  }

  private async complete(answer: Assertion, origin: Origin): Promise<Tokens> {
    let owner: User | null = null;
    try {
      const found = await this.proofs.find(answer);
      const user = (owner = found.owner);
      const signed = await this.proofs.verify(found, answer, true);
      return await this.database.transaction(async (manager) => {
        const amr = await this.proofs.use(manager, user.id, signed);
        const method = { assurance: { amr, aal: 2 as const } };
        const seen = await this.signIns.complete(user, method, origin, manager);
        if (seen.outcome === 'signed_in') return seen.tokens;
        // The user was changed after the server looked at the passkey, and is locked now.
        const changed = (await lockUser(manager, user.id)) ?? user;
        const signIn = await this.signIns.complete(changed, method, origin, manager);
        if (signIn.outcome !== 'signed_in') throw new ApiError('passkey_challenge_invalid');
        return signIn.tokens;
      });
    } catch (error) {
      await recordRefusal(error);
      if (error instanceof ApiError && isFailure(error.code)) {
        this.signIns.refuse(error.code, owner);
      }
      throw error;
    }
  }

  /** Checks a passkey as the second factor of a user, as far as that needs no lock. */
  private async prepare(userId: string, proof: unknown): Promise<SignedAnswer> {
    const { data: answer } = assertionSchema.safeParse(proof);
    if (!answer) throw invalid();
    const found = await this.proofs.find(answer);
    if (found.owner.id !== userId) throw invalid();
    return this.proofs.verify(found, answer, false);
  }
}

const isFailure = (code: string): code is LoginFailure =>
  code === 'passkey_invalid' || code === 'passkey_unknown';
