import { setTimeout } from 'node:timers/promises';
import type { Child } from '../child.js';
import { askWell, exchange } from '../client.js';
import { LEFT_OUT, onEachDatabase } from '../databases.js';
import { interleave, median, type Plan, ratio } from '../measure.js';
import { digits, type Section, type Target } from '../report.js';
import { redisServer, USER } from '../stage.js';
import { makeOwners, type Owner, signInByCode } from './second-factor.js';
import { type Filled, filled } from './size.js';

const SMALL = 1_000;

/** The clients of each kind. Each sends its next request when the last one is answered. */
const CLIENTS = { login: 2, 'login with a code': 1, refresh: 2, 'guarded route': 4, page: 1 };
type Kind = keyof typeof CLIENTS;
const KINDS = Object.keys(CLIENTS) as Kind[];

/** Limits that count in Redis as in production, and that this load does not reach. */
const HIGH_LIMITS = `on,${['login', 'refresh', 'register']
  .map((name) => `${name}=1000000/1m`)
  .join(',')}`;

/** Equal servers on one database, and the users of the load. */
interface Deployment {
  servers: Child[];
  users: Filled['users'];
  owners: Owner[];
}

/** A mixed load with few and with many users: on SQLite, and on two servers with PostgreSQL and Redis. */
export async function scale(plan: Plan): Promise<Section> {
  const rows: string[][] = [];
  const targets: Target[] = [];
  await onEachDatabase(plan, async ({ kind, stage, url }) => {
    const shared = kind === 'PostgreSQL' && redisServer !== '';
    const env: Record<string, string> = shared
      ? { REDIS_URL: redisServer, RATE_LIMITS: HIGH_LIMITS }
      : {};
    const start = async (name: string, count: number): Promise<Deployment> => {
      const DATABASE_URL = await url(name);
      const { server, users } = await filled(stage, DATABASE_URL, count, plan, env);
      const servers = [server];
      if (shared) servers.push(await stage.latchkey(`${name} 2`, { DATABASE_URL, ...env }));
      return { servers, users, owners: await makeOwners(server, plan.quick ? 32 : 64) };
    };
    const [small, large] = [await start('small', SMALL), await start('large', plan.rows)];
    const seconds = plan.quick ? 2 : 10;
    await interleave(1, { small: () => mixed(small, 2), large: () => mixed(large, 2) });
    const found = await interleave(plan.rounds, {
      small: () => mixed(small, seconds),
      large: () => mixed(large, seconds),
    });
    const where = shared ? 'PostgreSQL and Redis, two servers' : kind;
    const rate = (all: Rates[], what: keyof Rates) => all.map((rates) => rates[what]);
    for (const what of [...KINDS, 'processors'] as const) {
      const [few, many] = [rate(found.small, what), rate(found.large, what)];
      rows.push([
        `${where}: ${what}`,
        digits(median(few)),
        digits(median(many)),
        digits(ratio(many, few)),
      ]);
    }
    const sum = (rates: Rates) => KINDS.reduce((total, what) => total + rates[what], 0);
    targets.push({
      what: `A mixed load with ${digits(plan.rows)} users on ${where}, to ${digits(SMALL)}`,
      measured: ratio(found.large.map(sum), found.small.map(sum)),
      atLeast: 0.91,
      unit: ' ×',
    });
  });
  return {
    title: 'A mixed load',
    text:
      `Requests a second of ${KINDS.map((what) => `${CLIENTS[what]} × ${what}`).join(', ')}, all without pause, ` +
      `bcrypt of cost ${plan.cost}. _Processors_ is how many the servers kept busy; hashing takes what is left. ` +
      `Medians; the ratio is the median of the rounds’.${LEFT_OUT}`,
    columns: ['', `${digits(SMALL)} users`, `${digits(plan.rows)} users`, 'ratio'],
    rows,
    targets,
  };
}

type Rates = Record<Kind | 'processors', number>;

/** Lets all clients work for some seconds. */
async function mixed({ servers, users, owners }: Deployment, seconds: number): Promise<Rates> {
  let [goesOn, next] = [true, 0];
  const done = Object.fromEntries(KINDS.map((what) => [what, 0])) as Record<Kind, number>;
  const turn = () => next++;
  const at = (number: number) => servers[number % servers.length] ?? fail();
  const user = (number: number) => users[number % users.length] ?? fail();
  const work: Record<Kind, (client: number) => Promise<unknown>> = {
    login: () => {
      const number = turn();
      const body = { ...USER, username: user(number).username };
      return askWell(at(number), 'POST', '/login', { body });
    },
    'login with a code': () => signInByCode(at(turn()), owners),
    // Each client has its own session: a refresh token is good once.
    refresh: async (client) => {
      const own = user(client);
      own.refreshToken = (await exchange(at(turn()), own.refreshToken)).body.refresh_token;
    },
    'guarded route': () => {
      const number = turn();
      const { jwt } = user(number);
      return askWell(at(number), 'GET', number % 2 ? '/me' : '/protected', { jwt });
    },
    page: async () => {
      const response = await fetch(`${at(turn()).url}/sign-in`);
      if (!response.ok) fail();
      await response.arrayBuffer();
    },
  };
  const used = () => servers.reduce((sum, server) => sum + server.cpu(), 0);
  const [began, usedBefore] = [performance.now(), used()];
  const clients = KINDS.flatMap((what) =>
    Array.from({ length: CLIENTS[what] }, async (_, client) => {
      while (goesOn) {
        await work[what](client);
        done[what]++;
      }
    }),
  );
  await Promise.race([setTimeout(seconds * 1_000), Promise.all(clients)]);
  goesOn = false;
  const took = performance.now() - began;
  const processors = (used() - usedBefore) / took;
  await Promise.all(clients);
  const rates = KINDS.map((what) => [what, (done[what] / took) * 1_000]);
  return { ...Object.fromEntries(rates), processors } as Rates;
}

function fail(): never {
  throw new Error('The mixed load failed');
}
