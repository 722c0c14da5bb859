import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { User } from './user.entity.js';

/** An enrolled second factor of a user, without its secret. */
export interface Factor {
  id: string;
  /** The kind, by the name that its room gave it. */
  kind: string;
  /** The user's name for it. */
  name: string;
  createdAt: Date;
  lastUsedAt: Date | null;
}

/** The enrolled factors of a user, and the number of unused recovery codes. */
export interface EnrolledFactors {
  factors: Factor[];
  recoveryCodesLeft: number;
}

/** Lists and removes the second factors of users. */
export interface FactorsOfUsers {
  list: (userId: string) => Promise<EnrolledFactors>;
  /**
   * Removes one factor by its id, those that were enrolled since a time, or all, for an operator, in a
   * transaction that holds the lock on the user's row. It ends all sessions of the user. Returns the removed
   * ones; without any, it changes nothing.
   */
  reset: (manager: EntityManager, user: User, which?: FactorChoice) => Promise<Factor[]>;
}

/** A choice of a user's factors; all without a property. */
export interface FactorChoice {
  id?: string;
  since?: Date;
}

/** The second factors of users, for rooms that show or reset them. The room of the factors fills it in. */
@Injectable()
export class SecondFactors implements FactorsOfUsers {
  private source: FactorsOfUsers | undefined;

  /** Sets the room that has the factors. Without one, users have none. */
  use(source: FactorsOfUsers): void {
    this.source = source;
  }

  async list(userId: string): Promise<EnrolledFactors> {
    return (await this.source?.list(userId)) ?? { factors: [], recoveryCodesLeft: 0 };
  }

  async reset(manager: EntityManager, user: User, which?: FactorChoice): Promise<Factor[]> {
    return (await this.source?.reset(manager, user, which)) ?? [];
  }
}
