import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { ApiError } from '../common/api-error.js';
import { hasPassword } from '../passwords/stored-hash.js';
import type { User } from '../users/user.entity.js';

/** Tells whether a user can sign in by one way, by the rows that the transaction sees. */
export type IsOpen = (manager: EntityManager, user: User) => Promise<boolean> | boolean;

/** The registry of first factors: the ways in which a user can begin a sign-in. Each room adds its own. */
@Injectable()
export class WaysIn {
  private readonly ways: IsOpen[] = [(_manager, user) => hasPassword(user.passwordHash)];

  /** Adds a way in. */
  add(isOpen: IsOpen): void {
    this.ways.push(isOpen);
  }

  /**
   * Checks that a way in is left, in the transaction that has removed one.
   *
   * @throws ApiError last_credential
   */
  async expectOne(manager: EntityManager, user: User): Promise<void> {
    for (const isOpen of this.ways) if (await isOpen(manager, user)) return;
    throw new ApiError('last_credential');
  }
}
