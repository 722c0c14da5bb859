import { Injectable, Logger } from '@nestjs/common';
import { clock } from '../common/clock.js';
import { DailyCleanup } from '../common/daily-cleanup.js';
import { Config } from '../config/config.js';
import { Database } from '../database/database.js';
import { AUDIT_SETTINGS } from './audit.settings.js';
import { AuditService } from './audit.service.js';

/** The number of rows that one transaction removes. */
const DELETE_BATCH = 500;

/** Removes rows that are older than `AUDIT_RETENTION`. */
@Injectable()
export class AuditRetention {
  private readonly logger = new Logger(AuditRetention.name);

  constructor(
    private readonly config: Config,
    private readonly audit: AuditService,
    private readonly database: Database,
    cleanup: DailyCleanup,
  ) {
    cleanup.add('Removing old audit', () => this.run());
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
