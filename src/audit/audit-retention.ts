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
import { AUDIT_SETTINGS } from './audit.settings.js';
import { Audit } from './audit.service.js';

const DAY = 86_400_000;
/** The first turn comes early, for servers that never run for a whole day. */
const FIRST = 60_000;

/** The number of rows that one transaction removes. */
const DELETE_BATCH = 500;

/** Removes rows that are older than `AUDIT_RETENTION`. */
@Injectable()
export class AuditRetention implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(AuditRetention.name);
  private readonly job = new Recurring('Removing old audit', DAY, () => this.run(), this.logger);

  constructor(
    private readonly config: Config,
    private readonly audit: Audit,
    private readonly database: Database,
  ) {}

  onApplicationBootstrap(): void {
    this.job.start(FIRST);
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.job.stop();
  }

  /**
   * Removes all old rows.
   *
   * @throws ChainBroken if the chain finds a row that was tampered with
   */
  async run(): Promise<void> {
    const before = clock.now() - this.config.of(AUDIT_SETTINGS).AUDIT_RETENTION * 1000;
    let total = 0;
    for (;;) {
      const removed = await this.database.transaction((manager) =>
        this.audit.prune(manager, before, DELETE_BATCH),
      );
      total += removed;
      if (removed < DELETE_BATCH) break;
    }
    if (total === 0) return;
    this.logger.log(`Removed ${total} rows of the audit`);
    await this.database.write((manager) =>
      this.audit.record(manager, {
        action: 'audit_pruned',
        subjectId: null,
        details: { rows: total },
      }),
    );
  }
}
