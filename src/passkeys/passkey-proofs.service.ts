import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { EntityManager, Repository } from 'typeorm';
import { AuditService } from '../audit/audit.service.js';
import { ApiError } from '../common/api-error.js';
import { clock } from '../common/clock.js';
import { currentOrigin } from '../common/request-context.js';
import { Database } from '../database/database.js';
import { RecordedRefusal } from '../factors/recorded-refusal.js';
import { Notices } from '../mail/notices.js';
import type { Limit } from '../throttling/limit-store.js';
import { RateLimits } from '../throttling/rate-limits.js';
import { lockUser } from '../users/lock-user.js';
import { methodsOf } from './passkey-kind.js';
import { Passkey } from './passkey.entity.js';
import type { Assertion } from './passkeys.schemas.js';
import { RelyingParty } from './relying-party.js';
import { invalid, verifyAssertion } from './webauthn.js';
import { WebauthnChallengesService } from './webauthn-challenges.service.js';
import { WebauthnHandle } from './webauthn-handle.entity.js';

/** An answer that its passkey has signed. Its challenge and counter are still to be checked. */
export interface SignedAnswer {
  passkey: Passkey;
  challenge: string;
  signCount: number;
  backedUp: boolean;
}

/** Judges the answers of passkeys to request options. */
@Injectable()
export class PasskeyProofsService {
  private readonly notices: Limit;

  constructor(
    @InjectRepository(Passkey) private readonly passkeys: Repository<Passkey>,
    private readonly database: Database,
    private readonly party: RelyingParty,
    private readonly challenges: WebauthnChallengesService,
    private readonly audit: AuditService,
    private readonly mails: Notices,
    private readonly limits: RateLimits,
  ) {
    this.notices = limits.declare({ name: 'passkeyNotices', points: 3, seconds: 3600 });
  }

  /**
   * Returns the passkey of an answer.
   *
   * @throws ApiError passkey_unknown, with the names by which a page can tell the authenticator to forget it
   */
  async find({ id: credentialId }: Assertion): Promise<Passkey> {
    const found = await this.passkeys.findOneBy({ credentialId, rpId: this.party.id });
    if (found) return found;
    throw this.unknown(credentialId);
  }

  /**
   * Checks the signature of an answer, and what the authenticator has signed.
   *
   * @param needsHandle whether the answer has to name its user; otherwise it may
   * @throws ApiError passkey_invalid
   */
  async verify(passkey: Passkey, answer: Assertion, needsHandle: boolean): Promise<SignedAnswer> {
    const { userHandle } = answer.response;
    if (userHandle || needsHandle) {
      const { userId } = passkey;
      const owner = await this.passkeys.manager.findOneBy(WebauthnHandle, { userId });
      if (!owner || owner.handle !== userHandle) throw invalid();
    }
    const { challenge, value } = await verifyAssertion(this.party, answer, passkey);
    return { passkey, challenge, ...value };
  }

  /**
   * Uses an answer up, in a transaction that holds the lock on the user's row. Returns the proven methods.
   *
   * @throws ApiError passkey_challenge_invalid, passkey_unknown; RecordedRefusal passkey_copied
   */
  async use(manager: EntityManager, userId: string, answer: SignedAnswer): Promise<string[]> {
    const { passkey, challenge, signCount, backedUp } = answer;
    await this.challenges.use(manager, challenge, 'sign_in', userId);
    // An authenticator that does not count says 0. The stored counter never falls.
    const { affected } = await manager
      .createQueryBuilder()
      .update(Passkey)
      .set({
        signCount: () => 'CASE WHEN sign_count < :signCount THEN :signCount ELSE sign_count END',
        backedUp,
        lastUsedAt: clock.date(),
      })
      .where('id = :id AND user_id = :userId', { id: passkey.id, userId, signCount })
      .andWhere('(sign_count < :signCount OR sign_count = 0 OR :signCount = 0)')
      .execute();
    if (affected === 1) return methodsOf(passkey);
    if (!(await manager.existsBy(Passkey, { id: passkey.id, userId }))) {
      throw this.unknown(passkey.credentialId);
    }
    throw new RecordedRefusal('passkey_copied', () => this.tellOfCopy(passkey));
  }

  /** Records that a counter has not risen: a second authenticator may have the same key (WebAuthn, section 6.1.1). */
  private async tellOfCopy({ id, userId }: Passkey): Promise<void> {
    const tells = await this.limits.allows({ origin: currentOrigin() }, this.notices, id);
    await this.database.transaction(async (manager) => {
      const user = await lockUser(manager, userId);
      if (!user) return;
      const details = { passkey: id };
      await this.audit.record(manager, { action: 'passkey_copied', subjectId: userId, details });
      if (tells) await this.mails.tell(manager, user, { template: 'passkey-copied' });
    });
  }

  private unknown(credentialId: string): ApiError {
    const details = { credential_id: credentialId, rp_id: this.party.id };
    return new ApiError('passkey_unknown', { details });
  }
}
