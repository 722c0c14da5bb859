import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { EntityManager, Repository } from 'typeorm';
import { Database } from '../database/database.js';
import { OutboxRows } from '../outbox/outbox-rows.js';
import { MailItem } from './mail-item.entity.js';

/** How long a mail belongs to the worker that tries to send it, in milliseconds. */
export const LEASE = 90_000;

/** The stored mails. */
@Injectable()
export class MailOutbox extends OutboxRows<MailItem> {
  constructor(@InjectRepository(MailItem) items: Repository<MailItem>, database: Database) {
    super(MailItem, items, database, { lease: LEASE, whenGivenUp: { sealed: '' } });
  }

  /** Deletes a row in the transaction of `manager`, unless another worker has taken it. @returns whether it did */
  async dropIn(manager: EntityManager, { id, attempts }: MailItem): Promise<boolean> {
    return (await manager.delete(MailItem, { id, attempts })).affected === 1;
  }
}
