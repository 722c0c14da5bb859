import { Injectable, Logger } from '@nestjs/common';
import { clock } from '../common/clock.js';
import { DailyCleanup } from '../common/daily-cleanup.js';
import { Database } from '../database/database.js';
import { Revocation } from './revocation.entity.js';
import { RevocationsService } from './revocations.service.js';
import { Session } from './session.entity.js';

/** Removes ended and expired sessions, and revocations that concern no valid token any more. */
@Injectable()
export class SessionCleanup {
  private readonly logger = new Logger(SessionCleanup.name);

  constructor(
    private readonly database: Database,
    private readonly revocations: RevocationsService,
    cleanup: DailyCleanup,
  ) {
    cleanup.add('Removing old sessions', () => this.run());
  }

  /** Removes all of them. */
  async run(): Promise<void> {
    const at = { before: clock.now() - this.revocations.lifetime };
    const old = 'ended_at < :before OR expires_at < :before';
    const sessions = await this.database.deleteAll(Session, old, at);
    const revocations = await this.database.deleteAll(Revocation, 'revoked_at < :before', at);
    if (sessions + revocations === 0) return;
    this.logger.log(`Removed ${sessions} old sessions and ${revocations} old revocations`);
  }
}
