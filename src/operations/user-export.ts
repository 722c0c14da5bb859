import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { MoreThan, type Repository } from 'typeorm';
import { hasPassword } from '../passwords/stored-hash.js';
import { User } from '../users/user.entity.js';
import { recordOf, type UserRecord } from './user-record.js';

/** Users read by one statement. */
const BATCH = 500;

/** Gives users out in the form that an import reads. */
@Injectable()
export class UserExport {
  constructor(@InjectRepository(User) private readonly users: Repository<User>) {}

  /**
   * All users, in the order of their ids; who changes meanwhile is as before or as after. With
   * `hashes` those who have a password come with its hash.
   */
  async *run(hashes = false): AsyncGenerator<UserRecord & { passwordHash?: string }> {
    let after = '';
    for (;;) {
      const batch = await this.users.find({
        where: { id: MoreThan(after) },
        order: { id: 'ASC' },
        take: BATCH,
      });
      for (const user of batch) {
        const { passwordHash } = user;
        const given = hashes && hasPassword(passwordHash);
        yield { ...recordOf(user), ...(given && { passwordHash }) };
      }
      after = batch.at(-1)?.id ?? '';
      if (batch.length < BATCH) return;
    }
  }
}
