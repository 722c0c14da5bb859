import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { Repository } from 'typeorm';
import type { TimePosition } from '../common/list-cursor.js';
import { AuditEvent } from './audit-event.entity.js';

/** The conditions for rows. A row has to meet all of them. */
export interface AuditFilter {
  subject?: string;
  actor?: string;
  action?: string;
  /** From this time, inclusive, to that time, exclusive. */
  from?: Date;
  to?: Date;
}

/** Reads the audit. */
@Injectable()
export class AuditLog {
  constructor(@InjectRepository(AuditEvent) private readonly events: Repository<AuditEvent>) {}

  /**
   * Returns the newest rows, or the rows after `position`. Each filter has an index in the order of time, so
   * a page takes as long with a million rows. Of several filters, the database looks one up and checks the
   * others.
   */
  page(filter: AuditFilter, limit: number, position?: TimePosition): Promise<AuditEvent[]> {
    const { subject, actor, action, from, to } = filter;
    const query = this.events
      .createQueryBuilder('event')
      .orderBy('event.createdAt', 'DESC')
      .addOrderBy('event.id', 'DESC')
      .limit(limit);
    if (subject !== undefined) query.andWhere('event.subject_id = :subject', { subject });
    if (actor !== undefined) query.andWhere('event.actor_id = :actor', { actor });
    if (action !== undefined) query.andWhere('event.action = :action', { action });
    if (from) query.andWhere('event.created_at >= :from', { from: from.getTime() });
    if (to) query.andWhere('event.created_at < :to', { to: to.getTime() });
    if (position) {
      const [, at, id] = position;
      query.andWhere('(event.created_at, event.id) < (:at, :id)', { at, id });
    }
    return query.getMany();
  }
}
