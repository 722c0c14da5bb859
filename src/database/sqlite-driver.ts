import { AsyncResource } from 'node:async_hooks';
import { createRequire } from 'node:module';

type Call = (this: unknown, ...args: unknown[]) => unknown;

/** The methods of sqlite3's `Database` that TypeORM calls. */
type Connection = Record<'run' | 'all', Call>;

interface Sqlite3 {
  Database: new (...args: unknown[]) => Connection;
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
     * A connection that calls back in the context of the request. sqlite3 itself does not do so from Node 24
     * on.
     */
    class Database extends sqlite3.Database {
      override run = inContext(super.run.bind(this));
      override all = inContext(super.all.bind(this));
    }
    return Object.assign(Object.create(sqlite3) as object, { Database });
  },
};

const inContext =
  (call: Call): Call =>
  (...args) =>
    call(...args.map((arg) => (typeof arg === 'function' ? AsyncResource.bind(arg as Call) : arg)));
