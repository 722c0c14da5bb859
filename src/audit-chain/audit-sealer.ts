import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type EntityManager, IsNull, type Repository } from 'typeorm';
import { clock } from '../common/clock.js';
import { Metrics } from '../common/metrics.js';
import { RecurringService } from '../common/recurring-service.js';
import { Database } from '../database/database.js';
import { AuditEvent } from '../audit/audit-event.entity.js';
import { tryLockAudit } from '../audit/audit-lock.js';
import { AuditKeys } from './audit-keys.js';
import { ChainBroken, type Link, linkParts, readMarks, writeMark } from './chain.js';

/** The time between two looks for new rows, in milliseconds. */
const INTERVAL = 1_000;

/** The number of rows that one transaction seals. */
const SEAL_BATCH = 500;

/**
 * Links committed rows to the chain, a moment after they were written, so that writers of rows do not wait
 * for each other. Every instance tries, and one at a time succeeds.
 */
@Injectable()
export class AuditSealer extends RecurringService {
  /** The highest place in the chain that this process has seen. */
  private seen = 0;
  private oldest: Date | undefined;

  constructor(
    @InjectRepository(AuditEvent) private readonly events: Repository<AuditEvent>,
    private readonly keys: AuditKeys,
    private readonly database: Database,
    metrics: Metrics,
  ) {
    super('Sealing the audit', INTERVAL);
    metrics.gauge({
      name: 'latchkey_audit_unsealed_seconds',
      help: 'Age of a row of the audit that waits to be sealed; more than a few: see the log',
      collect: () => (this.oldest ? Math.max(0, clock.now() - this.oldest.getTime()) / 1000 : 0),
    });
  }

  protected override work(): Promise<void> {
    return this.seal();
  }

  /** Seals the committed rows, unless another instance is doing so. */
  async seal(): Promise<void> {
    do {
      const waiting = await this.events.findOne({
        select: { id: true, createdAt: true },
        where: { seq: IsNull() },
      });
      this.oldest = waiting?.createdAt;
      if (!waiting) return;
    } while (await this.database.transaction((manager) => this.sealSome(manager)));
  }

  /** Seals some rows. Resolves to false if another instance holds the lock. */
  private async sealSome(manager: EntityManager): Promise<boolean> {
    if (!(await tryLockAudit(manager))) return false;
    const rows = await manager.find(AuditEvent, {
      select: { id: true, createdAt: true, mac: true },
      where: { seq: IsNull() },
      take: SEAL_BATCH,
    });
    rows.sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime());
    let head = await this.head(manager);
    const sealed = rows.map(({ id, mac }) => {
      head = { seq: head.seq + 1, hash: this.keys.macs.make('link', linkParts(head, mac)) };
      return { id, ...head };
    });
    await store(manager, sealed);
    await writeMark(manager, this.keys.macs, 'head', head);
    this.database.afterCommit(manager, () => (this.seen = head.seq));
    return true;
  }

  /**
   * Returns the end of the chain. If rows were cut off, it throws instead of sealing over the gap.
   *
   * @throws ChainBroken
   */
  private async head(manager: EntityManager): Promise<Link> {
    // Another instance may have begun with a key of its own.
    await this.keys.load(manager);
    const { head } = await readMarks(manager, this.keys.macs);
    if (head.seq < this.seen) {
      throw new ChainBroken(`it ends at row ${head.seq}, and was seen to go to ${this.seen}`);
    }
    return head;
  }
}

/** Stores the rows' places, by one statement. */
async function store(manager: EntityManager, sealed: (Link & { id: string })[]): Promise<void> {
  if (sealed.length === 0) return;
  const tuples = sealed.map((_link, i) => {
    const at = i * 3;
    return `($${at + 1}, CAST($${at + 2} AS bigint), $${at + 3})`;
  });
  await manager.query(
    `WITH sealed (id, seq, hash) AS (VALUES ${tuples.join(', ')})
     UPDATE audit_events SET seq = sealed.seq, hash = sealed.hash
     FROM sealed WHERE audit_events.id = sealed.id`,
    sealed.flatMap(({ id, seq, hash }) => [id, seq, hash]),
  );
}
