import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AccountAttempts } from '../auth/account-attempts.js';
import type { Tokens } from '../auth/auth.schemas.js';
import { SignInsService } from '../auth/sign-ins.service.js';
import { WaysIn } from '../auth/ways-in.js';
import { ApiError } from '../common/api-error.js';
import { Database } from '../database/database.js';
import type { MailValues } from '../mail/mail-templates.js';
import { Notices } from '../mail/notices.js';
import type { PageDetails } from '../mailed-links/declaration.js';
import type { MailedLink } from '../mailed-links/mailed-link.js';
import { MailedLinks } from '../mailed-links/mailed-links.js';
import { activeHash, hasPassword } from '../passwords/stored-hash.js';
import { knownDevice } from '../sessions/device.js';
import type { Origin } from '../sessions/session-start.service.js';
import type { Limit } from '../throttling/limit-store.js';
import { type RequestLike, RateLimits } from '../throttling/rate-limits.js';
import { AddressClaimsService } from '../users/address-claims.service.js';
import { isClosedToMail } from '../users/can-sign-in.js';
import { mailboxKey } from '../users/mailbox.js';
import type { Address } from '../users/nameless.js';
import { isDisabled, type User } from '../users/user.entity.js';
import type { MailChallenge } from './mail-challenge.entity.js';
import { LIFETIME, MailChallengesService } from './mail-challenges.service.js';
import type { MailChallengeView, MailProofBody } from './mail-sign-in.schemas.js';
import { SIGN_IN } from './page-texts.js';

/** A mailed link or code is one factor, and never a second one (NIST SP 800-63B-4, section 3.1.3). */
const MAIL = { amr: ['mail'], aal: 1 } as const;

/** Signs users in by a mailed link or code. */
@Injectable()
export class MailSignInService {
  private readonly link: MailedLink;
  private readonly codeLimits: { limit: Limit; pair: Limit };

  constructor(
    private readonly database: Database,
    private readonly challenges: MailChallengesService,
    private readonly signIns: SignInsService,
    private readonly attempts: AccountAttempts,
    private readonly claims: AddressClaimsService,
    private readonly notices: Notices,
    links: MailedLinks,
    private readonly limits: RateLimits,
    waysIn: WaysIn,
  ) {
    const rate = { points: 10, seconds: 900 };
    this.codeLimits = {
      limit: limits.declare({ ...rate, name: 'mailCode' }),
      pair: limits.declare({ ...rate, name: 'mailCodePair' }),
    };
    this.link = links.declare({
      purpose: 'sign-in',
      lifetime: LIFETIME,
      code: false,
      // Each link belongs to one challenge. A stranger who asks as well must not end the owner's link.
      keepsOlder: true,
      guard: ({ passwordHash, email, emailKey, tokenVersion }) => [
        passwordHash,
        email,
        emailKey,
        String(tokenVersion),
      ],
      page: SIGN_IN,
      onRequest: (manager, user, locale, values) => this.send(manager, user, locale, values),
      show: ({ token }) => this.show(token),
    });
    waysIn.add((_manager, { emailKey, emailVerifiedAt }) => Boolean(emailKey && emailVerifiedAt));
  }

  /**
   * Makes a challenge, and stores a request for its mail. It writes the same rows for every address, and the
   * account is looked up after the answer, so neither the answer nor its time reveals whether there is one.
   *
   * @throws ApiError too_many_requests
   */
  async request(
    { email, emailKey }: Address,
    origin: Origin,
    request: RequestLike,
    locale?: string,
  ): Promise<MailChallengeView> {
    await this.limits.take(request, this.limits.named('mail'), mailboxKey(emailKey));
    return this.database.transaction(async (manager) => {
      const { challenge, challengeHash } = await this.challenges.make(manager, emailKey, origin);
      await this.link.requestIn(manager, email, { locale, values: { challengeHash } });
      return { challenge, expires_in: LIFETIME };
    });
  }

  /**
   * Signs in by the challenge, and the code or the token of its mail. One transaction uses the token up and starts
   * the session, so a crash leaves all or nothing. If a second factor is needed, the token is used up as well.
   *
   * @throws ApiError challenge_invalid, code_invalid, link_invalid, too_many_requests, user_disabled,
   *   second_factor_required
   */
  verify(body: MailProofBody, origin: Origin, request: RequestLike): Promise<Tokens> {
    return this.signIns.attempt(this.complete(body, origin, request));
  }

  private async complete(
    { challenge, ...proof }: MailProofBody,
    origin: Origin,
    request: RequestLike,
  ): Promise<Tokens> {
    const { accountKey, userId } = await this.challenges.find(challenge);
    const account = { ...this.codeLimits, key: accountKey, userId };
    const judge = async () => {
      const counted = await this.challenges.count(challenge);
      const checked = this.check(counted, proof);
      return this.database.transaction(async (manager) => {
        const { user } = await this.link.redeemIn(manager, checked);
        await this.challenges.drop(manager, counted);
        const owner = user.emailVerifiedAt
          ? user
          : await this.takeOver(manager, user, checked.refusal, origin);
        const method = { assurance: { ...MAIL, amr: [...MAIL.amr] } };
        const result = await this.signIns.complete(owner, method, origin, manager);
        if (result.outcome === 'changed') throw new ApiError(checked.refusal);
        return result;
      });
    };
    // A token has 256 bits and cannot be guessed. So the wrong codes of strangers do not close the link to its owner.
    const isToken = proof.code === undefined;
    const signIn = await (isToken ? judge() : this.attempts.run(request, account, judge));
    if (signIn.outcome === 'second_factor_required') throw signIn.refusal;
    return signIn.tokens;
  }

  /** Judges a counted answer, and returns the key of the token. @throws ApiError code_invalid, link_invalid */
  private check(counted: MailChallenge, { code, token = '' }: Omit<MailProofBody, 'challenge'>) {
    const isRight =
      code === undefined
        ? this.challenges.isToken(counted, token)
        : this.challenges.isCode(counted, code);
    const refusal = code === undefined ? 'link_invalid' : 'code_invalid';
    const { tokenHash, userId } = counted;
    if (isRight && tokenHash !== null) return { tokenHash, refusal } as const;
    throw this.signIns.refuse(refusal, userId === null ? null : { id: userId });
  }

  /**
   * Mails the link and the code to the holder of the address. An unverified account with a second factor gets no
   * mail: a stranger may have enrolled the factor, and the mail alone must not remove it.
   */
  private async send(
    manager: EntityManager,
    user: User,
    locale: string,
    { challengeHash = '' }: MailValues,
  ): Promise<void> {
    if (isDisabled(user) || isClosedToMail(user)) return;
    const challenge = await this.challenges.waiting(manager, challengeHash);
    if (!challenge) return;
    const { address, userAgent } = challenge;
    const values = {
      code: this.challenges.codeOf(challenge),
      device: knownDevice(userAgent),
      address,
    };
    const mail = { to: user.email ?? '', payload: null, locale, values };
    const { tokenHash } = await this.link.send(manager, user, mail);
    await this.challenges.bind(manager, challenge, { userId: user.id, tokenHash });
  }

  /** Returns the details for the page of the link, and leaves the link valid. @throws ApiError link_invalid */
  private async show(token: string): Promise<PageDetails> {
    const { tokenHash } = await this.link.check({ token });
    const challenge = await this.challenges.ofToken(tokenHash);
    const { address, userAgent, createdAt: time } = challenge;
    return {
      code: this.challenges.codeOf(challenge),
      device: knownDevice(userAgent),
      address,
      time,
    };
  }

  /**
   * Gives an account that never verified its address to the reader of the mailbox. The credentials from before may
   * be a stranger's, so they end, with all links that were mailed.
   *
   * @throws ApiError `refusal` if the account has a second factor
   */
  private async takeOver(
    manager: EntityManager,
    user: User,
    refusal: 'code_invalid' | 'link_invalid',
    { locale }: Origin,
  ): Promise<User> {
    if (isClosedToMail(user)) throw new ApiError(refusal);
    const owner = await this.claims.takeOver(manager, user);
    await this.link.endSince(manager, user.id, new Date(0));
    if (hasPassword(activeHash(user.passwordHash))) {
      await this.notices.tell(manager, owner, { template: 'password-removed', locale });
    }
    return owner;
  }
}
