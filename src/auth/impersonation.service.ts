import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { ApiError } from '../common/api-error.js';
import { EventsService } from '../common/events.service.js';
import { Config } from '../config/config.js';
import { Database } from '../database/database.js';
import { AccessTokens } from '../keys/access-token.js';
import { RolesService } from '../users/roles.service.js';
import { SessionsService } from '../sessions/sessions.service.js';
import { lockUser } from '../users/lock-user.js';
import { isDisabled, type User } from '../users/user.entity.js';
import type { Authentication } from './authentication.js';
import { AuthHooks } from './hooks.js';

declare module '../common/events.service.js' {
  interface EventTypes {
    /** The signed-in user begins to act on behalf of the user `userId`, whose row is locked. */
    'impersonation.started': { userId: string };
  }
}

/** The longest lifetime of such a token, in seconds. */
const MAX_SECONDS = 900;

/** An access token to act with. It cannot be renewed. */
export interface ImpersonationTokens {
  jwt: string;
  token_type: string;
  expires_in: number;
}

/** Lets one user act on behalf of another, for a while. */
@Injectable()
export class ImpersonationService {
  constructor(
    private readonly config: Config,
    private readonly database: Database,
    private readonly sessions: SessionsService,
    private readonly roles: RolesService,
    private readonly accessTokens: AccessTokens,
    private readonly hooks: AuthHooks,
    private readonly events: EventsService,
  ) {}

  /**
   * Returns an access token of the user `userId` that names `actor` as the acting user (RFC 8693, section
   * 4.1). It is valid for 15 minutes or `JWT_EXPIRES`, whichever is shorter, and no longer than the session
   * of `actor`. It ends when any role gets other permissions, because `permit` judged the present ones.
   * `permit` judges the user, and its errors are thrown.
   *
   * @throws ApiError not_found; user_disabled; token_revoked if the session of `actor` has ended
   */
  async start(
    { subject, claims }: Authentication,
    userId: string,
    permit: (user: User, manager: EntityManager) => Promise<void>,
  ): Promise<ImpersonationTokens> {
    const { sid, ver } = claims;
    const { user, roles } = await this.database.transaction(async (manager) => {
      // Instances are not told of the end of a session that was unused for long, so its use is recorded now.
      const living = await this.sessions.touch(manager, { id: sid, userId: subject.id });
      if (!living) throw new ApiError('token_revoked');
      const found = await lockUser(manager, userId);
      if (!found) throw new ApiError('not_found', { msg: 'There is no such user' });
      await permit(found, manager);
      if (isDisabled(found)) throw new ApiError('user_disabled');
      await this.events.publish(manager, { type: 'impersonation.started', userId });
      return { user: found, roles: (await this.roles.current(manager)).version };
    });
    const expires = Math.min(MAX_SECONDS, this.config.jwt.expires);
    const actor = { id: subject.id, ver, roles };
    const options = { sid, ver: user.tokenVersion, actor, expires };
    const jwt = await this.accessTokens.sign(user, options, await this.hooks.claims(user));
    return { jwt, token_type: this.config.jwt.headerType, expires_in: expires };
  }
}
