import type { DataSource, QueryRunner } from 'typeorm';

/** Statements that change something, or begin to. */
const WRITING =
  /^\s*(INSERT|UPDATE|DELETE|REPLACE|CREATE|ALTER|DROP|BEGIN|SAVEPOINT|WITH\b.*\b(INSERT\s+INTO|UPDATE\s+\S+\s+SET|DELETE\s+FROM))\b/is;

/** So that the stack reaches through TypeORM to the code that called it. */
const FRAMES = 50;

/**
 * Makes `reader` refuse writes before its connection does. The error says how to write instead, and its
 * stack names the caller.
 */
export function refuseWrites(reader: DataSource): void {
  const create = reader.createQueryRunner.bind(reader);
  reader.createQueryRunner = (mode) => {
    const runner = create(mode);
    const query = runner.query.bind(runner) as (...all: unknown[]) => Promise<unknown>;
    runner.query = ((sql: string, ...more: unknown[]) => {
      if (WRITING.test(sql)) return Promise.reject(refusal(sql));
      return query(sql, ...more);
    }) as QueryRunner['query'];
    return runner;
  };
}

function refusal(sql: string): Error {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = FRAMES;
  const [verb = ''] = sql.trim().split(/\s/, 1);
  const message = `${verb} outside of Database.write and Database.transaction: write through one of them, with the manager that it gives`;
  const error = new Error(message);
  Error.stackTraceLimit = stackTraceLimit;
  return error;
}
