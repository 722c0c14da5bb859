import { setTimeout } from 'node:timers/promises';
import type { Child } from '../child.js';
import { register, signIn } from '../client.js';
import { startLogins } from '../logins.js';
import { interleave, measure, middle, type Plan, type Rate, ratio } from '../measure.js';
import { digits, type Section } from '../report.js';
import { READER, Stage, USER } from '../stage.js';

const CONNECTIONS = 10;
const FLOOD = 64;

/** Measures how much of its speed a route that reads a row keeps while other clients log in without pause. */
export async function flood(plan: Plan): Promise<Section> {
  const stage = new Stage(plan.cost);
  try {
    const latchkey = await stage.latchkey('Latchkey');
    const sample = await stage.peer('nest-docs');
    await register(latchkey);
    await register(latchkey, READER);
    const me = async (server: Child, reader: typeof USER) => {
      const authorizations = (await signIn(server, 4, reader)).map(
        (tokens) => `Bearer ${tokens.jwt}`,
      );
      const load = { path: '/me', connections: CONNECTIONS, seconds: plan.seconds, authorizations };
      return {
        alone: async () => ({ ...(await measure(server, load)), logins: 0, refused: 0 }),
        flooded: () => whileOthersLogIn(server, () => measure(server, load)),
      };
    };
    const [ours, theirs] = [await me(latchkey, READER), await me(sample, USER)];
    const found = await interleave(plan.rounds, {
      'Latchkey /me': ours.alone,
      [`Latchkey /me, ${FLOOD} clients log in`]: ours.flooded,
      'documentation’s sample /me': theirs.alone,
      [`documentation’s sample /me, ${FLOOD} clients log in`]: theirs.flooded,
    });
    const [alone = [], flooded = [], theirAlone = [], theirFlooded = []] = Object.values(found);
    const kept = (during: Rate[], before: Rate[]) =>
      ratio(
        during.map((rate) => rate.perSecond),
        before.map((rate) => rate.perSecond),
      );
    return {
      title: 'Under a login flood',
      text:
        `\`/me\` reads one row; ${CONNECTIONS} connections ask for it, ${plan.seconds} s a round, ` +
        `alone and while ${FLOOD} other clients log in without pause (and without regard to ` +
        'Retry-After). _Kept_ is the throughput to that without them.',
      columns: ['', 'requests/s', 'kept', 'p50 ms', 'p99 ms', 'logins/s', 'refused/s'],
      rows: Object.entries(found).map(([name, rounds]) => [
        name,
        digits(middle(rounds, 'perSecond')),
        rounds === flooded
          ? digits(kept(flooded, alone))
          : rounds === theirFlooded
            ? digits(kept(theirFlooded, theirAlone))
            : '',
        digits(middle(rounds, 'p50')),
        digits(middle(rounds, 'p99')),
        digits(middle(rounds, 'logins')),
        digits(middle(rounds, 'refused')),
      ]),
      targets: [
        {
          what: `\`/me\` while ${FLOOD} clients log in, to without them`,
          measured: kept(flooded, alone),
          atLeast: 0.5,
          unit: ' ×',
        },
        {
          what: `\`/me\` while ${FLOOD} clients log in, p99`,
          measured: middle(flooded, 'p99'),
          atMost: 15,
          unit: ' ms',
        },
      ],
    };
  } finally {
    await stage.close();
  }
}

/** Does `work` while {@link FLOOD} clients log in, and waits until no login is left to answer. */
async function whileOthersLogIn(
  server: Child,
  work: () => Promise<Rate>,
): Promise<Rate & { logins: number; refused: number }> {
  let [logins, refused] = [0, 0];
  const stop = startLogins(server, FLOOD, (status) => {
    if (status === 200) logins++;
    else refused++;
  });
  // Until the queue has its full length.
  await setTimeout(1_000);
  [logins, refused] = [0, 0];
  const began = performance.now();
  const rate = await work();
  const seconds = (performance.now() - began) / 1000;
  const during = { logins: logins / seconds, refused: refused / seconds };
  await stop();
  return { ...rate, ...during };
}
