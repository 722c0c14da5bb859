import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { EnrolmentPolicy } from '../auth/enrolment-policy.js';
import { refuseBeforeEnrolment } from '../auth/enrolment.js';
import { ApiError } from '../common/api-error.js';
import { setActor } from '../common/request-context.js';
import { fieldsOf, requestOf } from '../common/request-of.js';
import { ACCOUNT_FIELD } from '../html/fields.js';
import { AccessTokens } from '../keys/access-token.js';
import { acrOf } from '../sessions/assurance.js';
import { BrowserSessionsService, type OpenSession } from './browser-sessions.service.js';

/** Signs a request in by the cookie of its browser, for pages alone. JSON routes take no cookie of it. */
@Injectable()
export class PageSessionGuard implements CanActivate {
  constructor(
    private readonly sessions: BrowserSessionsService,
    private readonly accessTokens: AccessTokens,
    private readonly enrolment: EnrolmentPolicy,
  ) {}

  /** @throws ApiError unauthorized, account_changed, enrolment_required */
  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = requestOf(context);
    const open = await this.sessions.find(request);
    if (!open) throw new ApiError('unauthorized');
    // In another tab, the user may have signed in with another account since the form was shown.
    const { [ACCOUNT_FIELD]: account = open.user.id } = fieldsOf(request);
    if (account !== open.user.id) throw new ApiError('account_changed');
    request.browserSession = open;
    const claims = this.claimsOf(open);
    const { id, username } = open.user;
    // The guards of the JSON routes find the user here, and need no token.
    request.authentication = { subject: { id, username, roles: claims.roles }, claims };
    setActor(request, id);
    refuseBeforeEnrolment(claims, context);
    return true;
  }

  /** Returns the claims that an access token of the session would have. */
  private claimsOf({ user, session }: OpenSession) {
    const { amr, aal } = session;
    return this.accessTokens.claimsOf(user, {
      sid: session.id,
      ver: user.tokenVersion,
      authTime: Math.floor(session.authenticatedAt.getTime() / 1000),
      amr,
      acr: acrOf(aal),
      mustEnrol: this.enrolment.mustEnrol(user, aal),
    });
  }
}
