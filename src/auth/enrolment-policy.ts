import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { Config } from '../config/config.js';
import type { Aal } from '../sessions/assurance.js';
import { RolesService } from '../users/roles.service.js';
import type { User } from '../users/user.entity.js';

/** Decides which users have to enrol a second factor before they may do anything else (`MFA_REQUIRED`). */
@Injectable()
export class EnrolmentPolicy implements OnApplicationBootstrap {
  private readonly logger = new Logger(EnrolmentPolicy.name);

  constructor(
    private readonly config: Config,
    private readonly roles: RolesService,
  ) {}

  /** Tells whether a user has a role that needs a second factor. */
  concerns({ roles }: Pick<User, 'roles'>): boolean {
    return roles.some((role) => this.config.mfaRequired.includes(role));
  }

  /** Tells whether a user has such a role without a second factor, or used none in the session of level `aal`. */
  mustEnrol(user: Pick<User, 'roles' | 'secondFactorSince'>, aal: Aal): boolean {
    return (user.secondFactorSince === null || aal < 2) && this.concerns(user);
  }

  /** Warns of names that are probably misspelt. */
  async onApplicationBootstrap(): Promise<void> {
    if (this.config.mfaRequired.length === 0) return;
    for (const role of await this.roles.unknown(this.config.mfaRequired)) {
      this.logger.warn(`MFA_REQUIRED names ${role}, but there is no role of this name`);
    }
  }
}
