import type { EntityManager, EntityTarget, Repository, SelectQueryBuilder } from 'typeorm';
import { clock } from '../common/clock.js';
import type { Database } from '../database/database.js';
import type { OutboxRow } from './outbox-row.js';

/** The time for which given-up rows are kept, in milliseconds. */
const KEEP_FAILED = 7 * 86_400_000;

/** The parameters of an outbox. */
export interface OutboxOptions {
  /**
   * How long a worker holds a row that it took, in milliseconds: longer than a try may take. If that instance
   * dies, another one may take the row after this time.
   */
  lease: number;
  /** Further values for a row that is given up. */
  whenGivenUp: object;
}

/** The rows of an outbox. Of all instances, exactly one holds a row at a time. */
export abstract class OutboxRows<T extends OutboxRow> {
  protected constructor(
    private readonly entity: EntityTarget<OutboxRow>,
    protected readonly rows: Repository<T>,
    protected readonly database: Database,
    private readonly options: OutboxOptions,
  ) {}

  /**
   * Takes the row that has waited longest for its next try, for the time of a lease. Returns undefined if no
   * row is due.
   */
  async take(): Promise<T | undefined> {
    if (this.database.isPostgres) {
      return this.database.transaction(async (manager) => {
        const [row] = await this.due(manager.getRepository<T>(this.entity as EntityTarget<T>))
          .setLock('pessimistic_write')
          .setOnLocked('skip_locked')
          .limit(1)
          .getMany();
        return row && (await this.hold(manager, row)) ? row : undefined;
      });
    }
    // SQLite has no row locks. If several workers see the same row, the first to write has it.
    let candidates: T[];
    do {
      candidates = await this.due(this.rows).limit(10).getMany();
      for (const row of candidates) {
        if (await this.database.write((manager) => this.hold(manager, row))) return row;
      }
    } while (candidates.length > 0);
    return undefined;
  }

  /** Removes a delivered row, unless another worker holds it by now. */
  async drop({ id, attempts }: T): Promise<void> {
    await this.database.write((manager) => manager.delete(this.entity, { id, attempts }));
  }

  /** Puts a row back until `dueAt`, unless another worker holds it by now. */
  async putBack({ id, attempts }: T, failure: string, dueAt: Date): Promise<void> {
    await this.database.write((manager) =>
      manager.update(this.entity, { id, attempts }, { failure, dueAt }),
    );
  }

  /** Gives a row up and keeps it for a week, unless another worker holds it by now. */
  async giveUp({ id, attempts }: T, failure: string): Promise<void> {
    const values = { ...this.options.whenGivenUp, failure, failedAt: clock.date() };
    await this.database.write((manager) => manager.update(this.entity, { id, attempts }, values));
  }

  /** Returns how many rows wait, and since when the oldest has waited. */
  async pending(): Promise<{ count: number; oldest: Date | undefined }> {
    const { count, oldest } = (await this.rows
      .createQueryBuilder('item')
      .select('COUNT(*)', 'count')
      .addSelect('MIN(item.created_at)', 'oldest')
      .where('item.failed_at IS NULL')
      .getRawOne<{ count: string; oldest: string | null }>()) ?? { count: 0, oldest: null };
    return { count: Number(count), oldest: oldest === null ? undefined : new Date(Number(oldest)) };
  }

  /** Deletes rows that were given up a week ago, and rows that expired a week ago without a try. */
  async clean(): Promise<void> {
    const before = clock.now() - KEEP_FAILED;
    await this.database.deleteAll(this.entity, 'failed_at < :before OR expires_at < :before', {
      before,
    });
  }

  /** Selects the rows that may be tried now, the longest due first. */
  protected due(rows: Repository<T>): SelectQueryBuilder<T> {
    return rows
      .createQueryBuilder('item')
      .where('item.failed_at IS NULL AND item.due_at <= :now', { now: clock.now() })
      .orderBy('item.due_at');
  }

  /** Counts a try and moves the next one on. Resolves to false if another worker was first. */
  private async hold(manager: EntityManager, row: T): Promise<boolean> {
    const { id, attempts } = row;
    const next = { attempts: attempts + 1, dueAt: new Date(clock.now() + this.options.lease) };
    const { affected } = await manager.update(this.entity, { id, attempts }, next);
    Object.assign(row, next);
    return affected === 1;
  }
}
