import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { EntityManager, Repository } from 'typeorm';
import { Database } from '../database/database.js';
import { OutboxRows } from '../outbox/outbox-rows.js';
import { OutboxItem } from './outbox-item.entity.js';

/** How long a mail belongs to the worker that tries to send it, in milliseconds. */
export const LEASE = 90_000;

/** The stored mails. */
@Injectable()
export class Outbox extends OutboxRows<OutboxItem> {
  constructor(@InjectRepository(OutboxItem) items: Repository<OutboxItem>, database: Database) {
    super(OutboxItem, items, database, { lease: LEASE, whenGivenUp: { sealed: '' } });
  }

  /** Deletes a row in the transaction of `manager`, unless another worker has taken it. @returns whether it did */
  async dropIn(manager: EntityManager, { id, attempts }: OutboxItem): Promise<boolean> {
    return (await manager.delete(OutboxItem, { id, attempts })).affected === 1;
  }
}
