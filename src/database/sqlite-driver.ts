import { AsyncResource } from 'node:async_hooks';
import { createRequire } from 'node:module';
import { LRUCache } from 'lru-cache';

type Call = (this: unknown, ...args: unknown[]) => unknown;

/** A prepared statement. Its methods take the parameters, and a function to call back. */
interface Statement {
  run(...args: unknown[]): unknown;
  all(...args: unknown[]): unknown;
  finalize(): void;
}

/** The methods of sqlite3's `Database` that TypeORM and this file call. */
interface Connection {
  run(sql: string, ...args: unknown[]): unknown;
  all(sql: string, ...args: unknown[]): unknown;
  prepare(sql: string, done: (error: Error | null) => void): Statement;
  close(done: Call): void;
}

interface Sqlite3 {
  Database: new (...args: unknown[]) => Connection;
}

/** How many statements a connection remembers, and how many characters they have together. */
const REMEMBERED = { max: 200, maxSize: 200_000 };

/** Statements that may stay prepared. A `PRAGMA` may act when it is prepared. */
const KEEPABLE = /^\s*(?:SELECT|INSERT|UPDATE|DELETE|WITH|BEGIN|COMMIT|SAVEPOINT|RELEASE)\b/i;

/** A statement that was run before. It is prepared from its second run on. */
interface Known {
  preparing?: boolean;
  statement?: Statement;
}

/**
 * sqlite3 for TypeORM, without the verbose mode that TypeORM asks for. In that mode, every statement takes a
 * stack and writes its parameters (hashes of passwords among them) into a text, for the case that it fails.
 * That costs a login a fifth of its time beside the hash, and errors must not contain it. sqlite3 is loaded
 * when it is first needed, which is never on PostgreSQL.
 */
export const sqliteDriver = {
  verbose(): object {
    const sqlite3 = createRequire(import.meta.url)('sqlite3') as Sqlite3;
    /**
     * A connection that keeps its statements prepared, because to prepare one takes longer than to run it. It
     * calls back in the context of the request: sqlite3 itself does not do so from Node 24 on.
     */
    class Database extends sqlite3.Database {
      private readonly known = new LRUCache<string, Known>({
        ...REMEMBERED,
        // A prepared statement takes about 40 bytes for each character.
        sizeCalculation: (_known, sql) => sql.length,
        dispose: ({ statement }) => statement?.finalize(),
      });

      override run(sql: string, ...args: unknown[]): unknown {
        // `run` takes one step, so with RETURNING it would stay open.
        const statement = /\bRETURNING\b/i.test(sql) ? undefined : this.prepared(sql);
        const bound = this.bound(sql, args, statement);
        return statement ? statement.run(...bound) : super.run(sql, ...bound);
      }

      override all(sql: string, ...args: unknown[]): unknown {
        const statement = this.prepared(sql);
        const bound = this.bound(sql, args, statement);
        return statement ? statement.all(...bound) : super.all(sql, ...bound);
      }

      override close(done: Call): void {
        // SQLite closes no connection with statements.
        this.known.clear();
        super.close(done);
      }

      /** Returns a statement that is prepared already. Prepares it for the next time if it comes again. */
      private prepared(sql: string): Statement | undefined {
        const known = this.known.get(sql);
        if (known?.statement) return known.statement;
        if (!known && KEEPABLE.test(sql)) this.known.set(sql, {});
        if (known && !known.preparing) this.prepareNext(sql, known);
        return undefined;
      }

      /** Returns the arguments of a run, whose functions are called in the present context. */
      private bound(sql: string, args: unknown[], statement: Statement | undefined): unknown[] {
        const failed = () => {
          if (this.known.peek(sql)?.statement === statement) this.known.delete(sql);
        };
        return args.map((arg) =>
          typeof arg === 'function' ? inContext(arg as Call, statement && failed) : arg,
        );
      }

      private prepareNext(sql: string, known: Known): void {
        known.preparing = true;
        const statement = this.prepare(sql, (error) => {
          const isKnown = this.known.peek(sql) === known;
          if (error && isKnown) this.known.delete(sql);
          else if (isKnown) known.statement = statement;
          else if (!error) statement.finalize();
        });
      }
    }
    return Object.assign(Object.create(sqlite3) as object, { Database });
  },
};

/**
 * Binds a function to the present context. Calls `failed` before it if a statement failed. A statement that waited
 * in vain for a lock goes on until it is finalized. Until then, SQLite commits no write that follows it.
 */
function inContext(call: Call, failed: (() => void) | undefined): Call {
  // `AsyncResource.bind` does the same, but gives each function properties, which takes longer.
  const context = new AsyncResource('sqlite3');
  return function (this: unknown, ...given: unknown[]) {
    if (given[0]) failed?.();
    return context.runInAsyncScope(call, this, ...given);
  };
}
