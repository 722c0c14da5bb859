import { Injectable } from '@nestjs/common';
import { type EntityManager, In } from 'typeorm';
import { clock } from '../common/clock.js';
import { EventsService } from '../common/events.service.js';
import { lock } from '../database/advisory-locks.js';
import { Database } from '../database/database.js';
import { PasswordCosts } from '../passwords/password-costs.js';
import { AddressClaimsService } from '../users/address-claims.service.js';
import { withoutAddress } from '../users/nameless.js';
import { User } from '../users/user.entity.js';
import { addRoles } from '../users/user-role.entity.js';
import { UsernameClaims } from '../users/username-claims.js';
import type { Candidate } from './known-users.js';

/** A user of a file, with the id under which the user will be stored. */
export type UserToStore = Candidate & { id: string };

/** The ids of a batch that were stored, and those whose username was refused at that time. */
interface Stored {
  ids: Set<string>;
  unnamed: Set<string>;
}

declare module '../common/events.service.js' {
  interface EventTypes {
    /** A batch of an import was stored; the users have no events of their own. */
    'users.imported': { count: number };
  }
}

/** Rolls back a batch of a dry run. */
class DryRunRollback extends Error {
  constructor(readonly found: Stored) {
    super('undone');
  }
}

/** Stores the users of one batch of an import. */
@Injectable()
export class NewUsers {
  constructor(
    private readonly database: Database,
    private readonly events: EventsService,
    private readonly claims: AddressClaimsService,
    private readonly names: UsernameClaims,
    private readonly costs: PasswordCosts,
  ) {}

  /** Stores new users, or with `undo` finds out which of them could be stored. */
  async insert(fresh: UserToStore[], undo: boolean): Promise<Stored> {
    const rows = fresh.map(({ id, user: { derivedFrom: _, ...user } }) => ({
      ...user,
      id,
      tokenVersion: 0,
      updatedAt: clock.date(),
    }));
    const work = async (manager: EntityManager): Promise<Stored> => {
      await lock(manager, 'imports');
      // Another import may have stored some users since the lookup. They do not count for this one.
      const present = await storedOf(manager, rows);
      const wanted = rows.filter(({ id }) => !present.has(id));
      await this.costs.recordCostsOf(
        manager,
        wanted.map(({ passwordHash }) => passwordHash),
      );
      const proven = wanted.flatMap(({ emailKey, emailVerifiedAt }) =>
        emailKey !== null && emailVerifiedAt ? [emailKey] : [],
      );
      const holders = await this.claims.unverifiedHolders(manager, proven);
      const holderOf = ({ emailKey, emailVerifiedAt }: (typeof rows)[number]) =>
        emailKey !== null && emailVerifiedAt ? holders.get(emailKey) : undefined;
      if (wanted.length > 0) {
        await manager
          .createQueryBuilder()
          .insert()
          .into(User)
          // An address with a holder is left out: the holder keeps it if the new user is refused.
          .values(wanted.map((row) => (holderOf(row) ? { ...row, ...withoutAddress(row) } : row)))
          .orIgnore()
          .updateEntity(false)
          .execute();
      }
      // A user that registered in the meantime has the name: the unique index decided.
      const stored = await storedOf(manager, wanted);
      const ids = await this.names.takeAll(
        manager,
        wanted.filter(({ id }) => stored.has(id)),
      );
      const lost = [...stored].filter((id) => !ids.has(id));
      if (lost.length > 0) await manager.delete(User, { id: In(lost) });
      const unnamed = new Set(lost);
      const kept = wanted.filter(({ id }) => ids.has(id));
      for (const row of kept) {
        const holder = holderOf(row);
        const { email, emailKey } = row;
        if (holder && email !== null && emailKey !== null) {
          await this.claims.handOver(manager, holder, row, { email, emailKey });
        }
      }
      await addRoles(manager, kept);
      await this.events.publish(manager, { type: 'users.imported', count: ids.size });
      if (undo) throw new DryRunRollback({ ids, unnamed });
      return { ids, unnamed };
    };
    try {
      return await this.database.transaction(work);
    } catch (error) {
      if (error instanceof DryRunRollback) return error.found;
      throw error;
    }
  }
}

/** Returns the ids of the stored `rows`. */
async function storedOf(
  manager: EntityManager,
  rows: readonly { id: string }[],
): Promise<Set<string>> {
  const where = { id: In(rows.map(({ id }) => id)) };
  const found = await manager.find(User, { select: { id: true }, where });
  return new Set(found.map(({ id }) => id));
}
