import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { IsNull, MoreThan, Not, type Repository } from 'typeorm';
import { hasPassword } from '../passwords/stored-hash.js';
import { User } from '../users/user.entity.js';
import { recordOf, type UserRecord } from './user-record.js';

/** The number of users that one statement reads. */
const READ_BATCH = 500;

/** Exports users in the form that an import reads. */
@Injectable()
export class UserExport {
  constructor(@InjectRepository(User) private readonly users: Repository<User>) {}

  /** Returns the number of users with a second factor, which an export leaves out. */
  countFactors(): Promise<number> {
    return this.users.countBy({ secondFactorSince: Not(IsNull()) });
  }

  /**
   * Yields all users, in the order of their ids. A user that changes meanwhile appears in the old or the new
   * state. With `hashes`, users with a password have its hash.
   */
  async *run(hashes = false): AsyncGenerator<UserRecord & { passwordHash?: string }> {
    let after = '';
    for (;;) {
      const batch = await this.users.find({
        where: { id: MoreThan(after) },
        order: { id: 'ASC' },
        take: READ_BATCH,
      });
      for (const user of batch) {
        const { passwordHash } = user;
        const given = hashes && hasPassword(passwordHash);
        yield { ...recordOf(user), ...(given && { passwordHash }) };
      }
      after = batch.at(-1)?.id ?? '';
      if (batch.length < READ_BATCH) return;
    }
  }
}
