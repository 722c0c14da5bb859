import { register, signIn } from '../client.js';
import { interleave, type Load, measure, middle, type Plan, type Rate, ratio } from '../measure.js';
import { digits, type Section } from '../report.js';
import { hasNodeSqlite, Stage } from '../stage.js';
import { expired, forgedOf, inTurns, scrambled, unseenOf } from '../tokens.js';

const CONNECTIONS = 32;
const EARLIER = 'Earlier Latchkey /protected';
const PEER = 'Fastify + fast-jwt with the same duties /protected';
const BETTER_AUTH = 'better-auth with SQLite /protected';

/** Measures the cost of the guard and of refusals, and compares it with an unguarded route and with the peers. */
export async function guard(plan: Plan): Promise<Section> {
  const stage = new Stage(plan.cost);
  try {
    const [latchkey, quiet, byHand, sample, bare] = [
      await stage.latchkey('Latchkey'),
      await stage.latchkey('Latchkey, quiet', { LOG_LEVEL: 'silent' }),
      await stage.peer('fastify-fast-jwt'),
      await stage.peer('nest-docs'),
      await stage.peer('nest-bare'),
    ];
    const peer = await stage.peer('fastify-same-duties');
    const sessions = hasNodeSqlite ? await stage.peer('better-auth') : undefined;
    await register(latchkey);
    // All servers have one secret: the same tokens are good for each.
    const good = (await signIn(latchkey, 16)).map((tokens) => `Bearer ${tokens.jwt}`);
    const unseen = inTurns(unseenOf(good[0] ?? ''));
    const forged = inTurns(forgedOf(good[0] ?? ''));
    const path = '/protected';
    const load = { path, connections: CONNECTIONS, seconds: plan.seconds, awake: true };
    const guarded: Load = { ...load, authorizations: good };
    const refused = { ...load, status: 401 };
    const variants: Record<string, () => Promise<Rate>> = {
      'Latchkey /health/live, no guard': () => measure(latchkey, { ...load, path: '/health/live' }),
      'Latchkey /protected': () => measure(latchkey, guarded),
      'Latchkey /protected, LOG_LEVEL=silent': () => measure(quiet, guarded),
      'Fastify + fast-jwt /protected': () => measure(byHand, guarded),
      [PEER]: () => measure(peer, guarded),
      'documentation’s sample /protected': () => measure(sample, guarded),
      'Latchkey /protected, each token for the first time': () =>
        measure(latchkey, { ...load, authorizations: unseen }),
      'Nest on Fastify, a route and nothing else': () =>
        measure(bare, { ...load, path: '/health/live' }),
      'Latchkey, no token': () => measure(latchkey, refused),
      'Latchkey, malformed token': () =>
        measure(latchkey, { ...refused, authorizations: good.map(scrambled) }),
      'Latchkey, forged signature': () => measure(latchkey, { ...refused, authorizations: forged }),
      'Latchkey, expired token': () =>
        measure(latchkey, { ...refused, authorizations: good.map(expired) }),
    };
    if (sessions) {
      const own = (await signIn(sessions, 16)).map((tokens) => `Bearer ${tokens.jwt}`);
      variants[BETTER_AUTH] = () => measure(sessions, { ...load, authorizations: own });
    }
    if (plan.against) {
      const earlier = await stage.latchkey('Latchkey, earlier', {}, plan.against);
      variants[EARLIER] = () => measure(earlier, guarded);
    }
    // Each server answers beforehand, so that no round compiles code.
    await interleave(1, variants);
    // Twice as many rounds as elsewhere: the guard costs less than the difference between two rounds.
    const rates = await interleave(2 * plan.rounds, variants);
    const perSecond = (name: string) => (rates[name] ?? []).map((rate) => rate.perSecond);
    const against = (name: string) => ratio(perSecond('Latchkey /protected'), perSecond(name));
    const cheaper = (name: string) =>
      ratio(perSecond(name), perSecond('Latchkey /protected, each token for the first time'));
    return {
      title: 'The guard',
      text:
        `${CONNECTIONS} connections, 16 tokens in turns, ${2 * plan.rounds} rounds of ${plan.seconds} s. _CPU_ is the ` +
        'processor time of the server for a request, all threads together; _busy_ the share of one ' +
        'core it used: where it is under 1, the load generator was the limit, and CPU compares ' +
        'better than requests. Ratios are of requests a second, the median of the rounds’ ratios. ' +
        'Latchkey and the peer with the same duties write a line of the log a request, to /dev/null. The load ' +
        'generator never sleeps, so that no server has to wake it. Tokens that are refused are ' +
        'compared with good ones that were not seen before, since those are verified as well.',
      columns: ['', 'requests/s', 'p50 ms', 'p99 ms', 'CPU µs', 'busy', '/protected to it'],
      rows: Object.entries(rates).map(([name, rounds]) => [
        name,
        digits(middle(rounds, 'perSecond')),
        digits(middle(rounds, 'p50')),
        digits(middle(rounds, 'p99')),
        digits(middle(rounds, 'cpu')),
        digits(middle(rounds, 'busy')),
        `${digits(against(name))} ×`,
      ]),
      targets: [
        {
          what: '`/protected` to the unguarded route',
          measured: against('Latchkey /health/live, no guard'),
          atLeast: 0.85,
          unit: ' ×',
        },
        {
          what: '`/protected` to the documentation’s sample',
          measured: against('documentation’s sample /protected'),
          atLeast: 10,
          unit: ' ×',
        },
        ...(
          [
            'Latchkey, no token',
            'Latchkey, malformed token',
            'Latchkey, forged signature',
            'Latchkey, expired token',
          ] as const
        ).map((name) => ({
          what: `${name.replace('Latchkey, ', 'Refusals for ')}, to good tokens not seen before`,
          measured: cheaper(name),
          atLeast: 1,
          unit: ' ×',
        })),
      ],
      notes: [
        'Where the first is missed: _Where the time goes_ has both routes. The guard’s own work is the ' +
          'SHA-256 of the token and the looks at header, clock and revocations; the rest is what Nest does ' +
          'around it (a promise or two) and the hook that `AsyncLocalStorage` puts on each promise in Node 20.',
        'A forged token that nobody has sent before costs more than a good one that is remembered: that it ' +
          'is wrong shows only when its signature is computed, which the memory saves the good one.',
        'Fastify + fast-jwt verifies each token, and does nothing else. The peer with the same duties remembers ' +
          'tokens, and writes a line of the log, headers, metrics and request ids as Latchkey does. better-auth looks ' +
          'each session up in its database. The file of each peer in `bench/peers` states its duties and omissions.',
      ],
    };
  } finally {
    await stage.close();
  }
}
