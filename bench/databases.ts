import { DataSource } from 'typeorm';
import { tablesWith } from '../src/tables.js';
import { databaseOptions, withoutTimeouts } from '../src/database/database.options.js';
import { median, type Plan } from './measure.js';
import { postgresServer, Stage } from './stage.js';

/** A kind of database, and the means to use it. */
export interface OnDatabase {
  kind: 'SQLite' | 'PostgreSQL';
  stage: Stage;
  /** The URL of a new one. */
  url: (name: string) => Promise<string>;
}

/** The sentence of a report without PostgreSQL. */
export const LEFT_OUT =
  postgresServer === undefined ? ' PostgreSQL left out: TEST_DATABASE_URL is not set.' : '';

/** Opens a database to fill it, without a limit of time. */
export const openToFill = (url: string): Promise<DataSource> =>
  new DataSource(withoutTimeouts(databaseOptions(url, tablesWith({})))).initialize();

/** Does `work` on each available kind of database, each time on a stage of its own. */
export async function onEachDatabase(
  plan: Plan,
  work: (on: OnDatabase) => Promise<void>,
): Promise<void> {
  const kinds: OnDatabase['kind'][] = ['SQLite'];
  if (postgresServer !== undefined) kinds.push('PostgreSQL');
  for (const kind of kinds) {
    const stage = new Stage(plan.cost);
    try {
      const url = (name: string) =>
        kind === 'SQLite' ? Promise.resolve(`sqlite:${stage.dir}/${name}`) : stage.postgres();
      await work({ kind, stage, url });
    } finally {
      await stage.close();
    }
  }
}

/**
 * Measures `few` and `many`, which resolve to milliseconds, in turns and one at a time, `count` times a round.
 * Returns the medians of the rounds. A first round, which does not count, compiles code and fills caches.
 */
export async function inTurns(
  plan: Plan,
  count: number,
  few: () => Promise<number>,
  many: () => Promise<number>,
): Promise<{ few: number[]; many: number[] }> {
  const medians = { few: [] as number[], many: [] as number[] };
  for (let round = 0; round <= plan.rounds; round++) {
    const ms = { few: [] as number[], many: [] as number[] };
    for (let i = 0; i < count; i++) {
      if (i % 2) ms.few.push(await few());
      ms.many.push(await many());
      if (i % 2 === 0) ms.few.push(await few());
    }
    if (round === 0) continue;
    medians.few.push(median(ms.few));
    medians.many.push(median(ms.many));
  }
  return medians;
}
