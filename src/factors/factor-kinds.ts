import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Factor } from '../users/second-factors.js';
import type { User } from '../users/user.entity.js';

/** A second factor that users can enrol, such as an authenticator app. */
export interface FactorKind {
  /** The name of the kind, as in the list of a user's factors and in the `methods` of a challenge. */
  kind: string;
  /** Returns the enrolled factors of a user, the oldest first. */
  list: (manager: EntityManager, userId: string) => Promise<Factor[]>;
  /**
   * Gives a factor another name, in a transaction that holds the lock on the user's row. Returns the renamed
   * factor; undefined if the id is of another kind.
   */
  rename: (
    manager: EntityManager,
    userId: string,
    id: string,
    name: string,
  ) => Promise<Factor | undefined>;
  /**
   * Removes factors, in a transaction that holds the lock on the user's row: one by its id, or all of them.
   * Returns the removed ones. An id of another kind removes none.
   */
  delete: (manager: EntityManager, userId: string, id?: string) => Promise<Factor[]>;
}

/** A way to answer a challenge. */
export interface SecondFactorMethod {
  /** Its name in `methods`. */
  name: string;
  /** The key of the proof in a request's body. */
  field: string;
  /** Tells whether the user can use it. */
  isAvailable: (manager: EntityManager, userId: string) => Promise<boolean>;
  /**
   * Checks a proof before the transaction, as far as that needs no lock, such as its signature. Returns the proof
   * for `prove`. Without it, `prove` gets the proof of the request.
   */
  prepare?: (userId: string, proof: unknown) => Promise<unknown>;
  /**
   * Checks and uses up a proof, in a transaction that holds the lock on the user's row. One conditional
   * statement uses it up, so of many requests at once one succeeds.
   *
   * @param locale the languages of the request, for a notice
   * @returns the names of the proven methods (RFC 8176)
   * @throws ApiError code_invalid, or another refusal; see also `RecordedRefusal`
   */
  prove: (manager: EntityManager, user: User, proof: unknown, locale?: string) => Promise<string[]>;
}

/** The registry of second factors. Each capability adds its own. */
@Injectable()
export class FactorKinds {
  private readonly kinds: FactorKind[] = [];
  private readonly ofKinds: SecondFactorMethod[] = [];
  private readonly others: SecondFactorMethod[] = [];

  /** Adds a kind of factor, with the method by which it answers a challenge. */
  add(kind: FactorKind, method: SecondFactorMethod): void {
    this.kinds.push(kind);
    this.ofKinds.push(method);
  }

  /** Adds a method that is no factor by itself, such as recovery codes. */
  addMethod(method: SecondFactorMethod): void {
    this.others.push(method);
  }

  /** All kinds. */
  get all(): readonly FactorKind[] {
    return this.kinds;
  }

  /** All methods. Those of factors come first: a client offers them before the recovery codes. */
  get methods(): readonly SecondFactorMethod[] {
    return [...this.ofKinds, ...this.others];
  }

  /** Returns the enrolled factors of a user. */
  async list(manager: EntityManager, userId: string): Promise<Factor[]> {
    const found: Factor[] = [];
    for (const { list } of this.kinds) found.push(...(await list(manager, userId)));
    return found;
  }
}
