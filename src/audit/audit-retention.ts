import {
  type BeforeApplicationShutdown,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { type EntityManager, LessThanOrEqual, MoreThan } from 'typeorm';
import { clock } from '../common/clock.js';
import { Recurring } from '../common/recurring.js';
import { Config } from '../config/config.js';
import { Database } from '../database/database.js';
import { AuditEvent } from './audit-event.entity.js';
import { AuditKeys } from './audit-keys.js';
import { Audit } from './audit.service.js';
import { ChainBroken, isSealed, linkFault, lockChain, readMarks, writeMark } from './chain.js';

const DAY = 86_400_000;
/** For servers that never run for a whole day. */
const FIRST = 60_000;

/** Rows that are removed in one transaction. */
const DELETE_BATCH = 500;

/**
 * Removes rows that are older than `AUDIT_RETENTION`, from the beginning of the chain on, and marks where
 * it begins from then on. What was tampered with stays: it must not vanish by being made to look old.
 */
@Injectable()
export class AuditRetention implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(AuditRetention.name);
  private readonly job = new Recurring('Removing old audit', DAY, () => this.run(), this.logger);

  constructor(
    private readonly config: Config,
    private readonly audit: Audit,
    private readonly keys: AuditKeys,
    private readonly database: Database,
  ) {}

  onApplicationBootstrap(): void {
    this.job.start(FIRST);
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.job.stop();
  }

  /** One turn; resolves when nothing is left to remove. @throws ChainBroken */
  async run(): Promise<void> {
    const before = clock.now() - this.config.auditRetention * 1000;
    let total = 0;
    for (;;) {
      const removed = await this.database.transaction((manager) => this.prune(manager, before));
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

  private async prune(manager: EntityManager, before: number): Promise<number> {
    await lockChain(manager);
    await this.keys.load(manager);
    const { macs } = this.keys;
    const { start: begin, rekeyed } = await readMarks(manager, macs);
    const rows = await manager.find(AuditEvent, {
      where: { seq: MoreThan(begin.seq) },
      order: { seq: 'ASC' },
      take: DELETE_BATCH,
    });
    let start = begin;
    for (const row of rows) {
      if (row.createdAt.getTime() >= before || !isSealed(row)) break;
      const fault =
        row.seq === start.seq + 1 ? linkFault(macs, start, row, rekeyed) : 'out_of_place';
      if (fault && fault !== 'unchecked') {
        throw new ChainBroken(`row ${row.seq} was tampered with`);
      }
      start = { seq: row.seq, hash: row.hash };
    }
    if (start === begin) return 0;
    await manager.delete(AuditEvent, { seq: LessThanOrEqual(start.seq) });
    await writeMark(manager, macs, 'start', start);
    return start.seq - begin.seq;
  }
}
