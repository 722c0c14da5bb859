import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { ApiError } from '../common/api-error.js';
import type { Assurance } from '../sessions/assurance.js';
import type { Origin } from '../sessions/session-start.service.js';
import type { User } from '../users/user.entity.js';

/** Makes a challenge for a user that has proven a first factor; undefined if the user was deleted meanwhile. */
export type MakeChallenge = (
  user: User,
  proven: Assurance,
  origin: Origin,
  manager?: EntityManager,
) => Promise<{ challenge: string; methods: string[]; expires_in: number } | undefined>;

/** Stands between a first factor and the session of a user with a second factor. */
@Injectable()
export class SecondFactorGate {
  private make: MakeChallenge | undefined;

  /** Sets the maker of challenges. Without one, users with a second factor cannot sign in. */
  use(make: MakeChallenge): void {
    this.make = make;
  }

  /**
   * Returns the refusal `second_factor_required` with a challenge to answer; undefined if the user was deleted
   * meanwhile.
   */
  async challenge(
    user: User,
    proven: Assurance,
    origin: Origin,
    manager?: EntityManager,
  ): Promise<ApiError | undefined> {
    if (!this.make) return new ApiError('second_factor_required');
    const details = await this.make(user, proven, origin, manager);
    return details && new ApiError('second_factor_required', { details });
  }
}
