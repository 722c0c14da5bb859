import { Injectable, Logger } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { MoreThan, Not, type Repository } from 'typeorm';
import { DailyCleanup } from '../common/daily-cleanup.js';
import { Database } from '../database/database.js';
import { TotpFactor } from './totp-factor.entity.js';
import { TotpSecrets } from './totp-secrets.js';

/** Rows of one look. */
const BATCH = 100;

/**
 * Encrypts the secrets of authenticator apps anew after the server's secret was rotated, once a day. So the
 * older secret can leave the settings, although users keep an app for years.
 */
@Injectable()
export class TotpResealing {
  private readonly logger = new Logger(TotpResealing.name);

  constructor(
    @InjectRepository(TotpFactor) private readonly apps: Repository<TotpFactor>,
    private readonly database: Database,
    private readonly secrets: TotpSecrets,
    cleanup: DailyCleanup,
  ) {
    cleanup.add('Encrypting authenticator apps anew', () => this.run());
  }

  /** Encrypts what an older secret had encrypted. Says in the log how many secrets cannot be decrypted. */
  async run(): Promise<void> {
    let lost = 0;
    for (let after = ''; ;) {
      const rows = await this.apps.find({
        select: { id: true, sealed: true },
        where: { sealedBy: Not(this.secrets.mark), id: MoreThan(after) },
        order: { id: 'ASC' },
        take: BATCH,
      });
      for (const row of rows) {
        const secret = this.secrets.open(row);
        if (secret === undefined) lost++;
        else await this.reseal(row, secret);
      }
      after = rows.at(-1)?.id ?? '';
      if (rows.length < BATCH) break;
    }
    if (lost > 0) {
      this.logger.warn(
        `${lost} authenticator apps were encrypted under a secret that is not in the settings; ` +
          'their users cannot sign in with them',
      );
    }
  }

  private async reseal({ id, sealed }: TotpFactor, secret: string): Promise<void> {
    // Another instance may be at it, with another secret.
    await this.database.write((manager) =>
      manager.update(TotpFactor, { id, sealed }, this.secrets.seal(id, secret)),
    );
  }
}
