import bcrypt from 'bcrypt';
import { DataSource } from 'typeorm';
import { databaseOptions } from '../../src/database/database.options.js';
import type { Child } from '../child.js';
import { askWell, register, signIn } from '../client.js';
import { load } from '../load.js';
import { median, type Plan, ratio } from '../measure.js';
import { digits, type Section, type Target } from '../report.js';
import { postgresServer, Stage, USER } from '../stage.js';

const SMALL = 1_000;

/** A page of 10 each; `%middle` is a time in the middle of the list. */
const LISTS = {
  newest: '',
  'from the middle': 'created_before=%middle',
  'name begins': 'q=user00004',
  'address begins': 'q=user0000499%40',
  role: 'role=support',
  disabled: 'state=disabled',
} as const;

/** One server whose database is full, and an administrator's token. */
interface Filled {
  server: Child;
  jwt: string;
  middle: string;
}

/** Whether a page of users takes as long among very many, on SQLite and on PostgreSQL. */
export async function listing(plan: Plan): Promise<Section> {
  const rows: string[][] = [];
  const targets: Target[] = [];
  const kinds = postgresServer === undefined ? ['SQLite'] : ['SQLite', 'PostgreSQL'];
  for (const kind of kinds) {
    const stage = new Stage(plan.cost);
    try {
      const url = (name: string) =>
        kind === 'SQLite' ? Promise.resolve(`sqlite:${stage.dir}/${name}`) : stage.postgres();
      const both = [
        await filled(stage, await url('small'), SMALL, plan),
        await filled(stage, await url('large'), plan.rows, plan),
      ] as const;
      for (const [name, query] of Object.entries(LISTS)) {
        const [few, many] = await times(query, both, plan);
        const slower = ratio(many, few);
        const figures = [few, many].map((ms) => digits(median(ms)));
        rows.push([`${kind} ${name}`, ...figures, digits(slower)]);
        targets.push({
          what: `${name}: with ${digits(plan.rows)} users on ${kind}, to ${digits(SMALL)}`,
          measured: slower,
          atMost: 1.2,
          unit: ' ×',
        });
      }
    } finally {
      await stage.close();
    }
  }
  return {
    title: 'Listing users',
    text:
      'A page of ten by `GET /users`, one at a time and in turns to both; every tenth user has a role, ' +
      'and is disabled. Milliseconds, medians; the ratio is the median of the rounds’.' +
      (postgresServer === undefined ? ' PostgreSQL left out: TEST_DATABASE_URL is not set.' : ''),
    columns: ['', `${digits(SMALL)} users`, `${digits(plan.rows)} users`, 'ratio'],
    rows,
    targets,
  };
}

/** Median milliseconds a round of one list, on both servers. */
async function times(
  query: string,
  both: readonly [Filled, Filled],
  plan: Plan,
): Promise<[number[], number[]]> {
  const count = plan.quick ? 20 : 200;
  const medians: [number[], number[]] = [[], []];
  for (let round = 0; round <= plan.rounds; round++) {
    const ms: [number[], number[]] = [[], []];
    for (let i = 0; i < count; i++) {
      for (const which of i % 2 ? ([0, 1] as const) : ([1, 0] as const)) {
        const { server, jwt, middle } = both[which];
        const path = `/users?limit=10&${query.replace('%middle', encodeURIComponent(middle))}`;
        ms[which].push((await askWell(server, 'GET', path, { jwt })).ms);
      }
    }
    // The first round compiles and fills caches.
    if (round > 0) ([0, 1] as const).forEach((which) => medians[which].push(median(ms[which])));
  }
  return medians;
}

/** A server on a database of `rows` users, every tenth with a role and disabled. */
async function filled(stage: Stage, url: string, rows: number, plan: Plan): Promise<Filled> {
  const server = await stage.latchkey(`Latchkey with ${rows}`, { DATABASE_URL: url });
  await register(server);
  await load(url, rows, await bcrypt.hash(USER.password, plan.cost), 1);
  const middle = await onDatabase(url, async (db) => {
    // One a second, so that the middle is one.
    await db.query(
      `UPDATE users SET created_at = created_at - CAST(substr(username_key, 5) AS integer) * 1000
         WHERE username_key LIKE 'user%'`,
    );
    const tenth = "username_key LIKE 'user%0'";
    await db.query(
      `UPDATE users SET roles = '["support"]', disabled_at = created_at WHERE ${tenth}`,
    );
    await db.query(`UPDATE users SET roles = '["admin"]' WHERE username_key = '${USER.username}'`);
    await db.query(
      `INSERT INTO user_roles (role, created_at, user_id)
         SELECT CASE WHEN roles = '["admin"]' THEN 'admin' ELSE 'support' END, created_at, id
           FROM users WHERE roles <> '[]'`,
    );
    await db.query(db.options.type === 'postgres' ? 'VACUUM ANALYZE' : 'ANALYZE');
    const found = await db.query<{ at: string | number }[]>(
      'SELECT (min(created_at) + max(created_at)) / 2 AS at FROM users',
    );
    return new Date(Number(found[0]?.at)).toISOString();
  });
  const [tokens] = await signIn(server, 1);
  return { server, jwt: tokens?.jwt ?? '', middle };
}

async function onDatabase<T>(url: string, work: (db: DataSource) => Promise<T>): Promise<T> {
  const db = await new DataSource(databaseOptions(url)).initialize();
  try {
    return await work(db);
  } finally {
    await db.destroy();
  }
}
