import {
  type BeforeApplicationShutdown,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { clock } from '../common/clock.js';
import { Recurring } from '../common/recurring.js';
import { Config } from '../config/config.js';
import { Database } from '../database/database.js';
import { Revocation } from './revocation.entity.js';
import { RevocationsService } from './revocations.service.js';
import { Session } from './session.entity.js';

/** A first turn soon after the start, for servers that never run for a whole interval. */
const FIRST = 60_000;

/** Removes what is over: sessions that ended or expired, and revocations no token is left for. */
@Injectable()
export class SessionCleanup implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(SessionCleanup.name);
  private readonly job: Recurring;

  constructor(
    config: Config,
    private readonly database: Database,
    private readonly revocations: RevocationsService,
  ) {
    const interval = config.sessions.cleanupInterval * 1000;
    this.job = new Recurring('Removing old sessions', interval, () => this.run(), this.logger);
  }

  onApplicationBootstrap(): void {
    this.job.start(FIRST);
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.job.stop();
  }

  /** One turn; resolves when nothing is left to remove. */
  async run(): Promise<void> {
    const at = { before: clock.now() - this.revocations.lifetime };
    const old = 'ended_at < :before OR expires_at < :before';
    const sessions = await this.database.deleteAll(Session, old, at);
    const revocations = await this.database.deleteAll(Revocation, 'revoked_at < :before', at);
    if (sessions + revocations === 0) return;
    this.logger.log(`Removed ${sessions} old sessions and ${revocations} old revocations`);
  }
}
