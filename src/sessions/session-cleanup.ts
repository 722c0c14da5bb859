import {
  type BeforeApplicationShutdown,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { clock } from '../common/clock.js';
import { Recurring } from '../common/recurring.js';
import { Database } from '../database/database.js';
import { Revocation } from './revocation.entity.js';
import { RevocationsService } from './revocations.service.js';
import { Session } from './session.entity.js';

/** A day, in milliseconds. */
const INTERVAL = 86_400_000;

/** A first turn soon after the start, for servers that never run for a whole interval. */
const FIRST = 60_000;

/** Removes what is over: sessions that ended or expired, and revocations no token is left for. */
@Injectable()
export class SessionCleanup implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(SessionCleanup.name);
  private readonly job: Recurring;

  constructor(
    private readonly database: Database,
    private readonly revocations: RevocationsService,
  ) {
    this.job = new Recurring('Removing old sessions', INTERVAL, () => this.run(), this.logger);
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
