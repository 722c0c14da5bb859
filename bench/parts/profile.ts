import type { Child } from '../child.js';
import { register, signIn } from '../client.js';
import { interleave, type Load, measure, type Plan } from '../measure.js';
import { ALL_PLACES, PROFILED, profileTime, readProfile } from '../profile.js';
import { digits, type Section } from '../report.js';
import { READER, Stage } from '../stage.js';
import { forgedOf, inTurns, scrambled, unseenOf } from '../tokens.js';
import { logins } from './login.js';

const CONNECTIONS = 32;

/** A period of load: its begin and end by {@link profileTime}, and the number of its requests. */
interface Stretch {
  from: number;
  to: number;
  requests: number;
}

/** Measures where the main thread spends its time, by V8's profiler. */
export async function profile(plan: Plan): Promise<Section> {
  const stage = new Stage(plan.cost, PROFILED);
  try {
    const latchkey = await stage.latchkey('Latchkey');
    const byHand = await stage.peer('fastify-fast-jwt');
    const bare = await stage.peer('nest-bare');
    await register(latchkey);
    await register(latchkey, READER);
    const good = (await signIn(latchkey, 16, READER)).map((tokens) => `Bearer ${tokens.jwt}`);
    const unseen = inTurns(unseenOf(good[0] ?? ''));
    const forged = inTurns(forgedOf(good[0] ?? ''));
    const load = {
      path: '/protected',
      connections: CONNECTIONS,
      seconds: plan.seconds,
      awake: true,
    };
    const refused = { ...load, status: 401 };
    const under = (server: Child, of: Partial<Load>): Column => ({
      server,
      work: () => measure(server, { ...load, ...of }),
    });
    const columns: Record<string, Column> = {
      'Nest, a route': under(bare, { path: '/health/live' }),
      'Fastify + fast-jwt': under(byHand, { authorizations: good }),
      '/health/live': under(latchkey, { path: '/health/live' }),
      '/protected': under(latchkey, { authorizations: good }),
      'first time': under(latchkey, { authorizations: unseen }),
      'no token': under(latchkey, refused),
      malformed: under(latchkey, { ...refused, authorizations: good.map(scrambled) }),
      forged: under(latchkey, { ...refused, authorizations: forged }),
      'a login': { server: latchkey, work: () => logins(latchkey, 8, plan.quick ? 16 : 48) },
    };
    const stretches = await interleave(
      plan.rounds,
      Object.fromEntries(
        Object.entries(columns).map(([name, { work }]) => [name, () => stretchOf(work)]),
      ),
    );
    await Promise.all([latchkey, byHand, bare].map((server) => server.stop()));
    const profiles = new Map(
      [latchkey, byHand, bare].map((server) => [server, readProfile(server.cwd)]),
    );
    const found = Object.entries(columns).map(([name, { server }]) =>
      spentPerRequest(stretches[name] ?? [], profiles.get(server)),
    );
    const row = (name: string, cells: number[]) => [
      name,
      ...cells.map((cell) => (cell < 0.05 ? '' : digits(cell))),
    ];
    const total = (spent: Record<string, number>) =>
      Object.values(spent).reduce((sum, time) => sum + time, 0);
    return {
      title: 'Where the time goes',
      text:
        'Microseconds of the main thread for a request, without what other threads do (hashing, ' +
        `SQLite, part of the garbage collection), by \`node ${PROFILED.join(' ')}\`: each sample ` +
        'counts for the function that ran, and a built-in one for the code that called it. The ' +
        'profiler itself takes some of the time. Loads as under _The guard_; the logins are of 8 clients.',
      columns: ['', ...Object.keys(columns)],
      rows: [
        ...ALL_PLACES.map((place) =>
          row(
            place,
            found.map((spent) => spent[place] ?? 0),
          ),
        ),
        row('together', found.map(total)),
      ],
      targets: [],
      notes: [
        'What Nest and the hooks on promises take of `/protected` more than of `/health/live` is its guard, a ' +
          'promise or two; hashes are the SHA-256 of the token. Of a login, SQLite has five statements, and ' +
          'each second’s look for what other instances did and sealing of the audit, ten more, are shared.',
      ],
    };
  } finally {
    await stage.close();
  }
}

interface Column {
  server: Child;
  work: () => Promise<{ perSecond: number }>;
}

async function stretchOf(work: Column['work']): Promise<Stretch> {
  const from = profileTime();
  const { perSecond } = await work();
  const to = profileTime();
  return { from, to, requests: (perSecond * (to - from)) / 1e6 };
}

/** Returns the microseconds of a request in each place, over all periods. */
function spentPerRequest(
  stretches: Stretch[],
  spentBetween: ReturnType<typeof readProfile> = () => ({}),
): Record<string, number> {
  const requests = stretches.reduce((sum, stretch) => sum + stretch.requests, 0);
  const all = stretches.map(({ from, to }) => spentBetween(from, to));
  return Object.fromEntries(
    ALL_PLACES.map((place) => [
      place,
      all.reduce((sum, spent) => sum + (spent[place] ?? 0), 0) / requests,
    ]),
  );
}
