import { Injectable } from '@nestjs/common';
import { clock } from '../common/clock.js';
import { Config } from '../config/config.js';
import { AccessTokens } from '../keys/access-token.js';
import { acrOf } from '../sessions/assurance.js';
import type { RefreshableSession } from '../sessions/session-start.service.js';
import type { User } from '../users/user.entity.js';
import type { Tokens } from './auth.schemas.js';
import { EnrolmentPolicy } from './enrolment-policy.js';
import { AuthHooks } from './hooks.js';

/** Makes the tokens that a client gets for its session, after a sign-in and after a refresh. */
@Injectable()
export class SessionTokensService {
  constructor(
    private readonly config: Config,
    private readonly accessTokens: AccessTokens,
    private readonly hooks: AuthHooks,
    private readonly enrolment: EnrolmentPolicy,
  ) {}

  /**
   * Returns the refresh token of the session, and a new access token with the user's present roles.
   *
   * @param until the latest end of the access token, in seconds since 1970
   */
  async issue(user: User, session: RefreshableSession, until = Infinity): Promise<Tokens> {
    const { amr, aal } = session.assurance;
    const mustEnrol = this.enrolment.mustEnrol(user, aal);
    const claims = {
      sid: session.id,
      ver: user.tokenVersion,
      authTime: Math.floor(session.authenticatedAt.getTime() / 1000),
      amr,
      acr: acrOf(aal),
      mustEnrol,
      until,
    };
    // Other services that verify the token may grant something by a project's claims, as by the roles.
    const own = mustEnrol ? {} : await this.hooks.claims(user);
    const jwt = await this.accessTokens.sign(user, claims, own);
    return {
      jwt,
      token_type: this.config.jwt.headerType,
      expires_in: Math.min(this.config.jwt.expires, until - Math.floor(clock.now() / 1000)),
      refresh_token: session.refreshToken,
    };
  }
}
