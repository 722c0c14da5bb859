import { AsyncResource } from 'node:async_hooks';
import { createRequire } from 'node:module';

type Call = (this: unknown, ...args: unknown[]) => unknown;

/** What TypeORM calls of sqlite3's `Database`. */
type Connection = Record<'run' | 'all', Call>;

interface Sqlite3 {
  Database: new (...args: unknown[]) => Connection;
}

/**
 * sqlite3 for TypeORM, which asks it to be verbose: every statement would take a stack and write its
 * parameters (hashes of passwords among them) into a text, in case that it fails. That costs a login a fifth
 * of its time beside the hash, and has no place in an error either. Loaded when it is first needed, which
 * is never on PostgreSQL.
 */
export const sqliteDriver = {
  verbose(): object {
    const sqlite3 = createRequire(import.meta.url)('sqlite3') as Sqlite3;
    /** A connection that calls back in the context of the request, as sqlite3 does not from Node 24 on. */
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
