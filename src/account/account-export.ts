import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { clock } from '../common/clock.js';
import { PersonalData } from '../common/personal-data.js';
import type { User } from '../users/user.entity.js';

/** The columns of the user that the export leaves out. */
const HIDDEN = ['passwordHash', 'usernameKey', 'emailKey', 'disabledReason'];

/**
 * Exports everything that is stored about a user (GDPR, articles 15 and 20), with three exceptions: secrets such as
 * hashes and codes, facts that reveal whether another account has the address, and the reason of a ban.
 */
@Injectable()
export class AccountExport {
  constructor(
    @InjectDataSource() private readonly database: DataSource,
    private readonly personalData: PersonalData,
  ) {}

  /** Returns the user's rows of every room, as a JSON document. */
  async of(user: User): Promise<Record<string, unknown>> {
    const columns = Object.entries(user).filter(([name]) => !HIDDEN.includes(name));
    return {
      exportedAt: clock.date(),
      user: Object.fromEntries(columns),
      ...(await this.personalData.export(this.database.manager, user.id)),
    };
  }
}
