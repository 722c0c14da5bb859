import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type EntityManager, IsNull, type Repository } from 'typeorm';
import { Database } from '../database/database.js';
import { OutboxItem } from './outbox-item.entity.js';

/**
 * How long a mail belongs to who tries to send it, in milliseconds: longer than a try may take. If
 * that instance dies, another one may take the mail after this.
 */
export const LEASE = 90_000;

/** How long mails that were given up are kept, in milliseconds. */
const KEEP_FAILED = 7 * 86_400_000;

/** The stored mails: of all instances, exactly one holds a mail at a time. */
@Injectable()
export class Outbox {
  constructor(
    @InjectRepository(OutboxItem) private readonly items: Repository<OutboxItem>,
    private readonly database: Database,
  ) {}

  /** Takes the mail that waits longest for its next try, if one is due; for {@link LEASE}. */
  async take(): Promise<OutboxItem | undefined> {
    if (this.database.isPostgres) {
      return this.database.transaction(async (manager) => {
        const [item] = await this.due(manager.getRepository(OutboxItem))
          .setLock('pessimistic_write')
          .setOnLocked('skip_locked')
          .limit(1)
          .getMany();
        return item && (await this.hold(manager, item)) ? item : undefined;
      });
    }
    // SQLite has no locks on rows: of those who see the same ones, the first to write has it.
    let candidates: OutboxItem[];
    do {
      candidates = await this.due(this.items).limit(10).getMany();
      for (const item of candidates) {
        if (await this.database.write((manager) => this.hold(manager, item))) return item;
      }
    } while (candidates.length > 0);
    return undefined;
  }

  /** Removes a mail that was sent, unless somebody else holds it by now. @returns whether it did */
  drop(item: OutboxItem, manager?: EntityManager): Promise<boolean> {
    const { id, attempts } = item;
    const remove = async (by: EntityManager): Promise<boolean> =>
      (await by.delete(OutboxItem, { id, attempts })).affected === 1;
    return manager ? remove(manager) : this.database.write(remove);
  }

  /** Puts a mail back until `dueAt`, likewise; without one it is given up and emptied. */
  async putBack({ id, attempts }: OutboxItem, failure: string, dueAt?: Date): Promise<void> {
    const values = dueAt ? { failure, dueAt } : { failure, failedAt: new Date(), sealed: '' };
    await this.database.write((manager) => manager.update(OutboxItem, { id, attempts }, values));
  }

  /** How many wait, and since when the oldest. */
  async pending(): Promise<{ count: number; oldest: Date | undefined }> {
    const waiting = { failedAt: IsNull() };
    const [oldest] = await this.items.find({
      where: waiting,
      order: { createdAt: 'ASC' },
      take: 1,
      select: { id: true, createdAt: true },
    });
    return { count: await this.items.countBy(waiting), oldest: oldest?.createdAt };
  }

  /** Forgets those that were given up a week ago. */
  async clean(): Promise<void> {
    const before = Date.now() - KEEP_FAILED;
    await this.database.deleteAll(OutboxItem, 'failed_at < :before', { before });
  }

  private due(items: Repository<OutboxItem>) {
    return items
      .createQueryBuilder('item')
      .where('item.failed_at IS NULL AND item.due_at <= :now', { now: Date.now() })
      .orderBy('item.due_at');
  }

  /** Counts a try and moves the next one on; whether nobody else did so first. */
  private async hold(manager: EntityManager, item: OutboxItem): Promise<boolean> {
    const { id, attempts } = item;
    const next = { attempts: attempts + 1, dueAt: new Date(Date.now() + LEASE) };
    const { affected } = await manager.update(OutboxItem, { id, attempts }, next);
    Object.assign(item, next);
    return affected === 1;
  }
}
