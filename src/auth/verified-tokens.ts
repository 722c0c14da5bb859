import { hash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { ApiError } from '../common/api-error.js';
import { AccessTokens } from '../keys/access-token.js';
import { PermissionsService } from '../users/permissions.service.js';
import { RevocationsService } from '../sessions/revocations.service.js';
import type { Authentication } from './authentication.js';

/** The number of remembered tokens; each takes some 1 KB. */
const MAX = 10_000;

/**
 * Remembers the tokens that passport-jwt has verified, so that the next request with the same one costs a
 * digest. They are kept by their SHA-256: a dump of the memory shows no whole token. Facts that change with
 * time are checked on every request: expiry, not-before, revocation.
 */
@Injectable()
export class VerifiedTokens {
  private readonly known = new LRUCache<string, Authentication>({ max: MAX });

  constructor(
    private readonly accessTokens: AccessTokens,
    private readonly revocations: RevocationsService,
    private readonly permissions: PermissionsService,
  ) {}

  /** Returns the content of a remembered token. */
  recall(token: string): Authentication | undefined {
    return this.known.get(digest(token));
  }

  /** Remembers a verified token. */
  remember(token: string, authentication: Authentication): void {
    this.known.set(digest(token), authentication);
  }

  /**
   * Checks a verified token against the clock and the revocations.
   *
   * @throws ApiError token_expired, token_not_yet_valid, token_revoked, token_stale
   */
  check({ claims, subject }: Authentication): void {
    this.accessTokens.checkTimes(claims);
    const { sid, ver, act, act_ver: actorVer = 0, act_roles: rolesThen = 0 } = claims;
    const verdict = this.revocations.verdict({ userId: subject.id, sid, ver });
    if (verdict) throw new ApiError(verdict);
    if (!act) return;
    const actor = this.revocations.verdict({ userId: act.sub, sid, ver: actorVer });
    // A role got other permissions, and the user may now have more of them than the actor. A refresh brings
    // no other token.
    if (actor || this.permissions.version > rolesThen) throw new ApiError('token_revoked');
  }
}

const digest = (token: string): string => hash('sha256', token, 'base64');
