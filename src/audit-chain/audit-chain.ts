import { Injectable } from '@nestjs/common';
import { type EntityManager, LessThanOrEqual, MoreThan } from 'typeorm';
import { AuditEvent } from '../audit/audit-event.entity.js';
import type { AuditHook } from '../audit/audit-hook.js';
import { AuditService } from '../audit/audit.service.js';
import { AuditKeys } from './audit-keys.js';
import { ChainBroken, isSealed, linkFault, readMarks, writeMark } from './chain.js';
import { withMac } from './row-mac.js';

/** Gives each new row of the audit its MAC, and lets retention remove rows from the chain's beginning only. */
@Injectable()
export class AuditChain implements AuditHook {
  constructor(
    audit: AuditService,
    private readonly keys: AuditKeys,
  ) {
    audit.attach(this);
  }

  complete(row: AuditEvent): AuditEvent {
    return withMac(this.keys.macs, row);
  }

  /**
   * Removes old rows and marks the new beginning of the chain. A row that was tampered with stays: an attacker
   * must not make it vanish by making it look old.
   *
   * @throws ChainBroken
   */
  async prune(manager: EntityManager, before: number, limit: number): Promise<number> {
    await this.keys.load(manager);
    const { macs } = this.keys;
    const { start: begin, rekeyed } = await readMarks(manager, macs);
    const rows = await manager.find(AuditEvent, {
      where: { seq: MoreThan(begin.seq) },
      order: { seq: 'ASC' },
      take: limit,
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
