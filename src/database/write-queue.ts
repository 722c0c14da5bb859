import { AsyncLocalStorage } from 'node:async_hooks';
import { setImmediate } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import { ApiError } from '../common/api-error.js';
import { reasonUnavailable } from '../common/unavailable.js';
import { outsideOfAll } from './open-transaction.js';
import { immediateTransaction } from './transactions.js';

/** The number of writes that may share a transaction. Its first write is answered after the last one. */
const MAX_SHARED = 16;

/** The savepoint before the second write of a transaction. The end of it ends all later ones. */
const JOINED = 'joined';

/** A write that waits for its turn, or has it. */
interface Turn {
  /** Runs the work in the context of its caller. */
  run: () => Promise<unknown>;
  isOneStatement: boolean;
  resolve: (value: unknown) => void;
  reject: (reason: unknown) => void;
  timer: NodeJS.Timeout;
}

/**
 * Runs the writes to SQLite one after another. Those that wait while another one runs join its transaction,
 * because a commit takes longer than all statements before it. A savepoint undoes a failed write alone. The
 * callers are answered after the commit.
 */
export class WriteQueue {
  private readonly waiting = new Set<Turn>();
  private emptied: Promise<void> | undefined;

  constructor(
    private readonly writer: DataSource,
    private readonly waitTimeout: number,
  ) {}

  /** The number of writes that wait for their turn. */
  get length(): number {
    return this.waiting.size;
  }

  /**
   * Runs `work` in its turn, as a transaction. It is durable when the promise resolves. It may run twice: if SQLite
   * rolls a shared transaction back (a full disk, or a row that breaks a deferred constraint), each write of it runs
   * again alone.
   *
   * @param isOneStatement whether the work needs no transaction to be done as a whole or not at all
   * @throws ApiError unavailable, if the turn did not come within `waitTimeout` seconds
   */
  run<T>(work: () => Promise<T>, isOneStatement: boolean): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const inContext = AsyncLocalStorage.snapshot();
      const turn: Turn = {
        // An error that `work` throws at once must not end the queue.
        run: () => inContext(async () => work()),
        isOneStatement,
        resolve: resolve as (value: unknown) => void,
        reject,
        timer: setTimeout(() => {
          this.waiting.delete(turn);
          reject(new ApiError('unavailable', { cause: new Error('too many writes before it') }));
        }, this.waitTimeout * 1000),
      };
      this.waiting.add(turn);
      this.emptied ??= outsideOfAll(() => this.empty());
    });
  }

  /** Resolves when no write runs or waits. The callers of the last ones may write again at once. */
  async idle(): Promise<void> {
    while (this.emptied) {
      await this.emptied;
      await setImmediate();
    }
  }

  private async empty(): Promise<void> {
    for (let turn = this.next(); turn; turn = this.next()) {
      await (this.waiting.size === 0 && turn.isOneStatement ? this.alone(turn) : this.share(turn));
    }
    this.emptied = undefined;
  }

  private next(): Turn | undefined {
    const [turn] = this.waiting;
    if (!turn) return undefined;
    this.waiting.delete(turn);
    clearTimeout(turn.timer);
    return turn;
  }

  private async alone(turn: Turn): Promise<void> {
    if (turn.isOneStatement) await turn.run().then(turn.resolve, turn.reject);
    else await this.share(turn, 1);
  }

  /** Runs up to `most` waiting writes as one transaction, and answers their callers after its commit. */
  private async share(first: Turn, most = MAX_SHARED): Promise<void> {
    const taken = [first];
    const answers: (() => void)[] = [];
    try {
      await immediateTransaction(this.writer, async () => {
        const value = await first.run();
        answers.push(() => {
          first.resolve(value);
        });
        while (taken.length < most) {
          const turn = this.next();
          if (!turn) break;
          taken.push(turn);
          answers.push(await this.join(turn, taken.length === 2 ? JOINED : 'turn'));
        }
        // This fails if SQLite has rolled back by itself and a write ignored the error. The next savepoint has
        // begun another transaction then, without the writes before.
        if (taken.length > 1) await this.writer.query(`RELEASE ${JOINED}`);
      });
    } catch (error) {
      if (taken.length > 1 && undoesAll(error)) {
        // Alone, each has its own outcome.
        for (const turn of taken) await this.alone(turn);
      } else {
        for (const turn of taken) turn.reject(error);
      }
      return;
    }
    for (const answer of answers) answer();
  }

  /** Runs a write in the transaction under way, after a savepoint. Returns what answers its caller. */
  private async join(turn: Turn, savepoint: string): Promise<() => void> {
    await this.writer.query(`SAVEPOINT ${savepoint}`);
    try {
      const value = await turn.run();
      return () => {
        turn.resolve(value);
      };
    } catch (error) {
      // Without its savepoint the whole transaction is gone, and the error may not be another caller's.
      await this.writer.query(`ROLLBACK TO ${savepoint}`).catch((gone: unknown) => {
        throw reasonUnavailable(error) === undefined ? gone : error;
      });
      return () => {
        turn.reject(error);
      };
    }
  }
}

/**
 * Tells whether an error of a shared transaction has undone all its writes, so that they may run again: the database
 * is unavailable, or a constraint that SQLite checks at the commit is broken.
 */
function undoesAll(error: unknown): boolean {
  const { driverError } = error as { driverError?: { code?: unknown } };
  return driverError?.code === 'SQLITE_CONSTRAINT' || reasonUnavailable(error) !== undefined;
}
