import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { EntityManager, Repository } from 'typeorm';
import { AuditService } from '../audit/audit.service.js';
import { ApiError } from '../common/api-error.js';
import { clock } from '../common/clock.js';
import { currentOrigin } from '../common/request-context.js';
import { Database } from '../database/database.js';
import { changedRows, TableSql } from '../database/table-sql.js';
import { RecordedRefusal } from '../factors/recorded-refusal.js';
import { Notices } from '../mail/notices.js';
import type { Limit } from '../throttling/limit-store.js';
import { RateLimits } from '../throttling/rate-limits.js';
import { lockUser } from '../users/lock-user.js';
import { User } from '../users/user.entity.js';
import { methodsOf } from './passkey-kind.js';
import { Passkey } from './passkey.entity.js';
import type { Assertion } from './passkeys.schemas.js';
import { RelyingParty } from './relying-party.js';
import { invalid, verifyAssertion } from './webauthn.js';
import { WebauthnChallengesService } from './webauthn-challenges.service.js';

/** A passkey with its owner, as they were before the transaction. */
export interface OwnedPasskey {
  passkey: Passkey;
  /** The handle by which authenticators know the owner; null if there is none. */
  handle: string | null;
  owner: User;
}

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
   * Returns the passkey of an answer, and its owner.
   *
   * @throws ApiError passkey_unknown, with the names by which a page can tell the authenticator to forget it
   */
  async find({ id: credentialId }: Assertion): Promise<OwnedPasskey> {
    const { manager } = this.passkeys;
    const [passkeys, users] = [TableSql.of(manager, Passkey), TableSql.of(manager, User)];
    const [row] = await manager.query<Record<string, unknown>[]>(
      `SELECT ${passkeys.list('p')}, ${users.list('u')}, h.handle AS handle
       FROM passkeys p JOIN users u ON u.id = p.user_id
       LEFT JOIN webauthn_handles h ON h.user_id = p.user_id
       WHERE p.credential_id = $1 AND p.rp_id = $2`,
      [credentialId, this.party.id],
    );
    if (!row) throw this.unknown(credentialId);
    const handle = row.handle as string | null;
    return { passkey: passkeys.read(row, 'p'), handle, owner: users.read(row, 'u') };
  }

  /**
   * Checks the signature of an answer, and what the authenticator has signed.
   *
   * @param needsHandle whether the answer has to name its user; otherwise it may
   * @throws ApiError passkey_invalid
   */
  async verify(
    { passkey, handle }: OwnedPasskey,
    answer: Assertion,
    needsHandle: boolean,
  ): Promise<SignedAnswer> {
    const { userHandle } = answer.response;
    const isNamed = userHandle || needsHandle;
    if (isNamed && (handle === null || handle !== userHandle)) throw invalid();
    const { challenge, value } = await verifyAssertion(this.party, answer, passkey);
    return { passkey, challenge, ...value };
  }

  /**
   * Uses an answer up, and locks the user. Returns the proven methods.
   *
   * @throws ApiError passkey_challenge_invalid, passkey_unknown; RecordedRefusal passkey_copied
   */
  async use(manager: EntityManager, userId: string, answer: SignedAnswer): Promise<string[]> {
    const { passkey, challenge, signCount, backedUp } = answer;
    const isKnown = () => manager.existsBy(Passkey, { id: passkey.id, userId });
    try {
      await this.challenges.use(manager, challenge, 'sign_in', userId);
    } catch (error) {
      // The user was deleted after the server looked at the passkey.
      const isRefusal = error instanceof ApiError;
      if (isRefusal && !(await isKnown())) throw this.unknown(passkey.credentialId);
      throw error;
    }
    // An authenticator that does not count says 0. The stored counter never falls.
    const changed = await changedRows(
      manager,
      `UPDATE passkeys SET sign_count = CASE WHEN sign_count < CAST($1 AS bigint) THEN $1 ELSE sign_count END,
         backed_up = $2, last_used_at = $3
       WHERE id = $4 AND user_id = $5 AND (sign_count < $1 OR sign_count = 0 OR $1 = 0)`,
      [signCount, backedUp, clock.now(), passkey.id, userId],
    );
    if (changed === 1) return methodsOf(passkey);
    if (!(await isKnown())) throw this.unknown(passkey.credentialId);
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
