import type { DataSource, QueryRunner } from 'typeorm';

/** Comments and white space before a statement. */
const BEFORE = /^(?:\s+|--[^\n]*(?:\n|$)|\/\*.*?(?:\*\/|$))+/s;

/** Statements that change data, or begin to. */
const WRITING =
  /^(INSERT|UPDATE|DELETE|REPLACE|CREATE|ALTER|DROP|BEGIN|SAVEPOINT|REINDEX|ANALYZE|WITH\b.*\b((INSERT|REPLACE)(\s+OR\s+\w+)?\s+INTO|UPDATE(\s+OR\s+\w+)?\s+\S+\s+SET|DELETE\s+FROM))\b/is;

/** The depth of a stack that reaches through TypeORM to its caller. */
const FRAMES = 50;

/**
 * Makes `reader` refuse writes before its connection does. The error says how to write instead, and its stack
 * names the caller.
 */
export function refuseWrites(reader: DataSource): void {
  const create = reader.createQueryRunner.bind(reader);
  const refusing = new WeakSet<QueryRunner>();
  reader.createQueryRunner = (mode) => {
    const runner = create(mode);
    // SQLite's driver gives the same runner each time. Another layer for each read would overflow the stack.
    if (refusing.has(runner)) return runner;
    refusing.add(runner);
    const query = runner.query.bind(runner) as (...all: unknown[]) => Promise<unknown>;
    runner.query = ((sql: string, ...more: unknown[]) => {
      const statement = sql.replace(BEFORE, '');
      if (WRITING.test(statement)) return Promise.reject(refusal(statement));
      return query(sql, ...more);
    }) as QueryRunner['query'];
    return runner;
  };
}

function refusal(statement: string): Error {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = FRAMES;
  const [verb = ''] = statement.split(/\s/, 1);
  const message = `${verb} outside of Database.write and Database.transaction: write through one of them, with the manager that it gives`;
  const error = new Error(message);
  Error.stackTraceLimit = stackTraceLimit;
  return error;
}
