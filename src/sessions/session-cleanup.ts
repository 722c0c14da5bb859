import {
  type BeforeApplicationShutdown,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { Recurring } from '../common/recurring.js';
import { Config } from '../config/config.js';
import { Database } from '../database/database.js';
import { Revocation } from './revocation.entity.js';
import { Revocations } from './revocations.js';
import { Session } from './session.entity.js';

/** Rows removed by one statement: few, so that nothing waits long for it. */
const BATCH = 500;

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
    private readonly revocations: Revocations,
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
    const before = Date.now() - this.revocations.lifetime;
    const old = 'ended_at < :before OR expires_at < :before';
    const sessions = await this.deleteAll(Session, 'sessions', old, before);
    const revocations = await this.deleteAll(
      Revocation,
      'revocations',
      'revoked_at < :before',
      before,
    );
    if (sessions + revocations === 0) return;
    this.logger.log(`Removed ${sessions} old sessions and ${revocations} old revocations`);
  }

  private async deleteAll(
    entity: typeof Session | typeof Revocation,
    table: string,
    condition: string,
    before: number,
  ): Promise<number> {
    // In the order of ids, so that instances that clean up together wait for, not block, each other.
    const batch = `id IN (SELECT id FROM ${table} WHERE ${condition} ORDER BY id LIMIT ${BATCH})`;
    for (let removed = 0; ;) {
      const rows = await this.database.write(async (manager) => {
        const query = manager.createQueryBuilder().delete().from(entity);
        return (await query.where(batch, { before }).execute()).affected ?? 0;
      });
      removed += rows;
      if (rows < BATCH) return removed;
    }
  }
}
