import bcrypt from 'bcrypt';
import type { DataSource } from 'typeorm';
import type { Child } from '../child.js';
import { askWell, register, signIn } from '../client.js';
import { inTurns, LEFT_OUT, onEachDatabase, openToFill } from '../databases.js';
import { load } from '../load.js';
import { median, type Plan, ratio } from '../measure.js';
import { digits, type Section, type Target } from '../report.js';
import { type Stage, USER } from '../stage.js';

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

/** Measures whether a page of users takes longer among many users, on SQLite and on PostgreSQL. */
export async function listing(plan: Plan): Promise<Section> {
  const rows: string[][] = [];
  const targets: Target[] = [];
  await onEachDatabase(plan, async ({ kind, stage, url }) => {
    const small = await filled(stage, await url('small'), SMALL, plan);
    const large = await filled(stage, await url('large'), plan.rows, plan);
    for (const [name, query] of Object.entries(LISTS)) {
      const time = (filled: Filled) => () => one(query, filled);
      const count = plan.quick ? 20 : 200;
      const { few, many } = await inTurns(plan, count, time(small), time(large));
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
  });
  return {
    title: 'Listing users',
    text:
      'A page of ten by `GET /users`, one at a time and in turns to both; every tenth user has a role, ' +
      'and is disabled. Milliseconds, medians; the ratio is the median of the rounds’.' +
      LEFT_OUT,
    columns: ['', `${digits(SMALL)} users`, `${digits(plan.rows)} users`, 'ratio'],
    rows,
    targets,
  };
}

/** Milliseconds of one page. */
async function one(query: string, { server, jwt, middle }: Filled): Promise<number> {
  const path = `/users?limit=10&${query.replace('%middle', encodeURIComponent(middle))}`;
  return (await askWell(server, 'GET', path, { jwt })).ms;
}

/** A server on a database of `rows` users, every tenth with a role and disabled. */
async function filled(stage: Stage, url: string, rows: number, plan: Plan): Promise<Filled> {
  const server = await stage.latchkey(`Latchkey with ${rows}`, { DATABASE_URL: url });
  await register(server);
  await load(url, rows, await bcrypt.hash(USER.password, plan.cost), 1);
  const middle = await onDatabase(url, async (db) => {
    // One user a second, so that the time in the middle is known.
    await db.query(
      `UPDATE users SET
         created_at = created_at - CAST(substr(username_key, 5) AS integer) * 1000,
         disabled_at = CASE WHEN username_key LIKE '%0' THEN created_at END
         WHERE username_key LIKE 'user%'`,
    );
    await db.query(
      `INSERT INTO user_roles (role, created_at, user_id, position)
         SELECT CASE WHEN username_key = '${USER.username}' THEN 'admin' ELSE 'support' END, created_at, id, 0
           FROM users WHERE username_key = '${USER.username}' OR username_key LIKE 'user%0'`,
    );
    if (db.options.type === 'postgres') await db.query('VACUUM ANALYZE');
    else
      for (const pragma of ['optimize=0x10002', 'wal_checkpoint(TRUNCATE)'])
        await db.query(`PRAGMA ${pragma}`);
    const found = await db.query<{ at: string | number }[]>(
      'SELECT (min(created_at) + max(created_at)) / 2 AS at FROM users',
    );
    return new Date(Number(found[0]?.at)).toISOString();
  });
  const [tokens] = await signIn(server, 1);
  return { server, jwt: tokens?.jwt ?? '', middle };
}

async function onDatabase<T>(url: string, work: (db: DataSource) => Promise<T>): Promise<T> {
  const db = await openToFill(url);
  try {
    return await work(db);
  } finally {
    await db.destroy();
  }
}
