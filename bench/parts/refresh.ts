import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type autocannon from 'autocannon';
import { Client } from 'pg';
import type { Child } from '../child.js';
import { exchange, register, signIn, type Tokens } from '../client.js';
import { LEFT_OUT } from '../databases.js';
import { interleave, measure, middle, type Plan, type Rate, ratio } from '../measure.js';
import { digits, type Section } from '../report.js';
import { postgresServer, Stage } from '../stage.js';

const CLIENTS = 32;
const SHARED_MEMORY = '/dev/shm';

/** Measures refreshes a second, and whether the disk or the processor limits them. */
export async function refresh(plan: Plan): Promise<Section> {
  const stage = new Stage(plan.cost);
  try {
    const variants: Record<string, () => Promise<Rate>> = {};
    const add = async (name: string, env: Record<string, string>) => {
      const server = await stage.latchkey(name, env);
      await register(server);
      variants[name] = await following(server, plan.seconds);
    };
    await add('SQLite', {});
    if (existsSync(SHARED_MEMORY)) {
      const dir = mkdtempSync(join(SHARED_MEMORY, 'latchkey-bench-'));
      stage.finally(() => {
        rmSync(dir, { recursive: true, force: true });
      });
      await add('SQLite in memory', { DATABASE_URL: `sqlite:${dir}/db` });
    }
    if (postgresServer !== undefined) {
      await add('PostgreSQL', { DATABASE_URL: await stage.postgres() });
      const url = await stage.postgres();
      await unsafely(url);
      await add('PostgreSQL, synchronous_commit=off', { DATABASE_URL: url });
    }
    const SYNC = '4 KiB written and fdatasync, nothing else';
    variants[SYNC] = () => {
      const perSecond = syncRate(join(stage.dir, 'sync'), plan.quick ? 200 : 1_000);
      return Promise.resolve({ perSecond, p50: NaN, p99: NaN, cpu: NaN, busy: NaN });
    };
    const found = await interleave(plan.rounds, variants);
    const rates = (name: string) => (found[name] ?? []).map((rate) => rate.perSecond);
    const figures = ['perSecond', 'p50', 'p99', 'cpu', 'busy'] as const;
    const gain = (safe: string, unsafe: string) =>
      `${safe}: without waiting for the disk ${digits(ratio(rates(unsafe), rates(safe)))} times as many.`;
    return {
      title: 'Refreshing',
      text:
        `${CLIENTS} clients, each with a session of its own, exchange each refresh token for the ` +
        `next, ${plan.seconds} s a round. Every one is an UPDATE that is on the disk before it is ` +
        'answered. _CPU_ is processor time of Latchkey (not of PostgreSQL) for a request, _busy_ ' +
        `the share of one core.${LEFT_OUT}`,
      columns: ['', 'refreshes/s', 'p50 ms', 'p99 ms', 'CPU µs', 'busy'],
      rows: Object.entries(found).map(([name, rounds]) => [
        name,
        ...figures.map((figure) => digits(middle(rounds, figure))),
      ]),
      targets: [],
      notes: [
        [
          'What bounds it: on SQLite one transaction after another, each with its fdatasync.',
          ...('SQLite in memory' in variants ? [gain('SQLite', 'SQLite in memory')] : []),
          ...(postgresServer === undefined
            ? []
            : [gain('PostgreSQL', 'PostgreSQL, synchronous_commit=off')]),
          'Where that is near 1, or _busy_ near 1, it is the processor; else the disk.',
        ].join(' '),
      ],
    };
  } finally {
    await stage.close();
  }
}

/** A load whose clients each follow the chain of a session, from one measurement to the next. */
async function following(server: Child, seconds: number): Promise<() => Promise<Rate>> {
  const chains = (await signIn(server, CLIENTS)).map((tokens) => ({ token: tokens.refresh_token }));
  return async () => {
    let next = 0;
    const setupClient = (client: autocannon.Client) => {
      const chain = chains[next++ % CLIENTS] ?? { token: '' };
      client.setRequests([
        {
          method: 'POST',
          path: '/refresh',
          headers: { 'content-type': 'application/json' },
          setupRequest: (request) => ({
            ...request,
            body: JSON.stringify({ refresh_token: chain.token }),
          }),
          onResponse: (status, body) => {
            if (status === 200) chain.token = (JSON.parse(body) as Tokens).refresh_token;
          },
        },
      ]);
    };
    const rate = await measure(server, {
      path: '/refresh',
      connections: CLIENTS,
      seconds,
      setupClient,
    });
    // The end of a measurement cuts off answers. The server still gives their tokens again, so the chains
    // continue.
    for (const chain of chains) {
      const answer = await exchange(server, chain.token);
      chain.token = answer.body.refresh_token;
    }
    return rate;
  };
}

/** Lets a database acknowledge writes before they are on the disk. */
async function unsafely(url: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const name = new URL(url).pathname.slice(1);
    await client.query(`ALTER DATABASE ${name} SET synchronous_commit = off`);
  } finally {
    await client.end();
  }
}

/** Returns how many times a second 4 KiB can be appended and made durable. */
function syncRate(path: string, count: number): number {
  const page = Buffer.alloc(4096, 1);
  const file = openSync(path, 'a');
  try {
    const began = performance.now();
    for (let i = 0; i < count; i++) {
      writeSync(file, page);
      fdatasyncSync(file);
    }
    return (count / (performance.now() - began)) * 1000;
  } finally {
    closeSync(file);
  }
}
