import { Injectable } from '@nestjs/common';
import { ApiError } from '../common/api-error.js';
import { isUuid } from '../common/uuid.js';
import { Database } from '../database/database.js';
import type { Subject } from '../keys/access-token.js';
import { lockUser } from '../users/lock-user.js';
import { SecondFactors } from '../users/second-factors.js';
import { checked, existing } from './admin-users.service.js';
import { Authority } from './authority.js';

/** Removes second factors of users that have lost them. */
@Injectable()
export class FactorResetsService {
  constructor(
    private readonly factors: SecondFactors,
    private readonly authority: Authority,
    private readonly database: Database,
  ) {}

  /**
   * Removes one factor of a user, or all of them, and ends all sessions of the user.
   *
   * @param factor an id, or `all`
   * @throws ApiError not_found; forbidden, also for the actor's own factors, which need no operator
   */
  async reset(actor: Subject, id: string, factor: string): Promise<void> {
    const userId = checked(id);
    await this.database.transaction(async (manager) => {
      const user = existing(await lockUser(manager, userId));
      if (userId === actor.id) {
        throw new ApiError('forbidden', { msg: 'Remove your own factors under /me/factors' });
      }
      (await this.authority.of(manager, actor)).requireCanManage(user);
      const removed =
        factor === 'all' || isUuid(factor)
          ? await this.factors.reset(manager, user, factor === 'all' ? {} : { id: factor })
          : [];
      if (removed.length === 0) {
        throw new ApiError('not_found', { msg: 'The user has no such factor' });
      }
    });
  }
}
