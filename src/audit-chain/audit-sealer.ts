import {
  type BeforeApplicationShutdown,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type EntityManager, IsNull, type Repository } from 'typeorm';
import { clock } from '../common/clock.js';
import { Metrics } from '../common/metrics.js';
import { Recurring } from '../common/recurring.js';
import { Database } from '../database/database.js';
import { AuditEvent } from '../audit/audit-event.entity.js';
import { tryLockAudit } from '../audit/audit-lock.js';
import { AuditKeys } from './audit-keys.js';
import { ChainBroken, type Link, linkParts, readMarks, writeMark } from './chain.js';

/** How often rows are looked for, in milliseconds. */
const INTERVAL = 1_000;

/** Rows that are sealed in one transaction. */
const SEAL_BATCH = 500;

/**
 * Links committed rows to the chain, a moment after they were written, so that nobody who writes one
 * waits for another. Every instance tries; one at a time does.
 */
@Injectable()
export class AuditSealer implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(AuditSealer.name);
  private readonly job = new Recurring(
    'Sealing the audit',
    INTERVAL,
    () => this.seal(),
    this.logger,
  );
  /** How far the chain has been seen to go. */
  private seen = 0;
  private oldest: Date | undefined;

  constructor(
    @InjectRepository(AuditEvent) private readonly events: Repository<AuditEvent>,
    private readonly keys: AuditKeys,
    private readonly database: Database,
    metrics: Metrics,
  ) {
    metrics.gauge({
      name: 'latchkey_audit_unsealed_seconds',
      help: 'Age of a row of the audit that waits to be sealed; more than a few: see the log',
      collect: () => (this.oldest ? Math.max(0, clock.now() - this.oldest.getTime()) / 1000 : 0),
    });
  }

  onApplicationBootstrap(): void {
    this.job.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.job.stop();
  }

  /** One turn: seals what is committed, unless another instance is at it. */
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

  /** Whether this instance had its turn. */
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

  /** Where to go on. What was cut off must not be forgotten by sealing over it. @throws ChainBroken */
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

/** Gives rows their places, by one statement. */
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
