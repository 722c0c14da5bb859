import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type Child, processorTime } from '../child.js';
import { register, signIn } from '../client.js';
import { startLogins } from '../logins.js';
import { interleave, measure, middle, type Plan, type Rate, ratio } from '../measure.js';
import { digits, type Section } from '../report.js';
import { READER, Stage } from '../stage.js';

const CORES = availableParallelism();
const LOGINS = 32;
const READERS = 8;
const COSTS = [10, 12];

/** The share of each core that a thread gets if one more than the cores want all of them. */
const SHARE = CORES / (CORES + 1);

const CALM = `${READERS} read`;
const ALONE = `${LOGINS} log in`;
const BOTH = `${LOGINS} log in, ${READERS} read`;
const BESIDE = `${LOGINS} log in, beside a busy process`;

/** The figures of one round. A figure that the round did not measure is NaN. */
type Round = Pick<Rate, 'perSecond' | 'p50' | 'p99'> & {
  /** Milliseconds of one hash alone. */
  hash: number;
  logins: number;
  /** Cores that the server and this process used. */
  cores: number;
  /** Cores that the busy process used. */
  taken: number;
};

const NOTHING = { perSecond: NaN, p50: NaN, p99: NaN, hash: NaN, logins: NaN };

/** How logins and reads share the cores, and how logins share them with another process. */
export async function fairness(plan: Plan): Promise<Section> {
  const found = new Map<number, Awaited<ReturnType<typeof atCost>>>();
  for (const cost of COSTS) found.set(cost, await atCost(plan, cost));
  const results = [...found];
  return {
    title: 'Fairness',
    text:
      `${LOGINS} clients log in without pause, ${READERS} read \`/me\`, on ${CORES} cores that the server ` +
      `shares with the load generator, ${plan.seconds} s a round. The bound of logins is min(clients, cores) ` +
      '÷ time of one bcrypt, measured in each round. Logins wait for up to a minute, so that no refusal takes ' +
      'processor time. _Kept_ is the throughput of `/me` to that without logins. ' +
      '_Cores_ is the processor time of the server and the load generator in a second; if less than all cores are ' +
      'used while both log in and read, something else on the machine took the rest. The busy process wants ' +
      `a whole core; its share beside ${CORES} hashing threads is ${digits(SHARE)} of one.`,
    columns: [
      'cost, clients',
      'logins/s',
      'of the bound',
      '/me a second',
      'kept',
      'p50 ms',
      'p99 ms',
      'cores',
      'taken by the busy process',
    ],
    rows: results.flatMap(([cost, { rounds, ofBound, kept }]) =>
      [CALM, ALONE, BOTH, BESIDE].map((name) => {
        const of = rounds(name);
        return [
          `${cost}, ${name}`,
          shown(middle(of, 'logins')),
          shown(ofBound(name)),
          shown(middle(of, 'perSecond')),
          name === BOTH ? digits(kept) : '',
          shown(middle(of, 'p50')),
          shown(middle(of, 'p99')),
          digits(middle(of, 'cores')),
          shown(middle(of, 'taken')),
        ];
      }),
    ),
    targets: results.flatMap(([cost, { rounds, ofBound, ofPossible, kept }]) => [
      {
        what: `Logins of cost ${cost} beside readers, to the most that leaves \`/me\` half`,
        measured: ofPossible,
        atLeast: 0.8,
        unit: ' ×',
      },
      {
        what: `\`/me\` beside logins of cost ${cost}, to without them`,
        measured: kept,
        atLeast: 0.5,
        unit: ' ×',
      },
      {
        what: `\`/me\` beside logins of cost ${cost}, p99`,
        measured: middle(rounds(BOTH), 'p99'),
        atMost: 20,
        unit: ' ms',
      },
      {
        what: `Logins of cost ${cost} beside a busy process, to their share of the bound`,
        measured: ofBound(BESIDE) / SHARE,
        atLeast: 0.9,
        unit: ' ×',
      },
    ]),
    notes: results.map(([cost, { half }]) => {
      const needed = 0.8 * Math.min(LOGINS, CORES) + half;
      return (
        `Cost ${cost}: half of the calm rate of \`/me\` takes ${digits(half)} cores at both ends. ` +
        `0.8 of the bound of logins beside it would take ${digits(needed)} of ${CORES} cores. ` +
        `The most logins that leave \`/me\` half are ${digits(possible(half))} of the bound; ` +
        'the target is 0.8 of them.'
      );
    }),
  };
}

async function atCost(plan: Plan, cost: number) {
  const stage = new Stage(cost);
  try {
    const server = await stage.patient('Latchkey');
    await register(server);
    await register(server, READER);
    const tokens = await signIn(server, 4, READER);
    const authorizations = tokens.map(({ jwt }) => `Bearer ${jwt}`);
    const read = () =>
      measure(server, { path: '/me', connections: READERS, seconds: plan.seconds, authorizations });
    const wait = async () => {
      await setTimeout(plan.seconds * 1000);
      return {};
    };
    // Lets the code be compiled.
    await read();
    const found = await interleave<string, Round>(plan.rounds, {
      hash: async () => ({ ...NOTHING, hash: await hashTime(cost), cores: 1, taken: NaN }),
      [CALM]: () => counted(server, read),
      [ALONE]: () => whileOthersLogIn(server, wait),
      [BOTH]: () => whileOthersLogIn(server, read),
      [BESIDE]: () => whileOthersLogIn(server, () => besideBusyProcess(stage, plan.seconds)),
    });
    const rounds = (name: string): Round[] => found[name] ?? [];
    const bound = rounds('hash').map(({ hash }) => (1000 / hash) * Math.min(LOGINS, CORES));
    const of = (name: string, figure: 'logins' | 'perSecond') =>
      rounds(name).map((round) => round[figure]);
    const ofBound = (name: string) => ratio(of(name, 'logins'), bound);
    const half = middle(rounds(CALM), 'cores') / 2;
    return {
      rounds,
      ofBound,
      half,
      ofPossible: ofBound(BOTH) / possible(half),
      kept: ratio(of(BOTH, 'perSecond'), of(CALM, 'perSecond')),
    };
  } finally {
    await stage.close();
  }
}

/** Returns the largest part of the bound of logins that leaves `cores` to others. */
function possible(cores: number): number {
  const hashing = Math.min(LOGINS, CORES);
  return Math.min(hashing, CORES - cores) / hashing;
}

/** Does `work` while {@link LOGINS} clients log in, and waits until no login is left to answer. */
async function whileOthersLogIn(
  server: Child,
  work: () => Promise<Partial<Round>>,
): Promise<Round> {
  let logins = 0;
  const stop = startLogins(server, LOGINS, (status) => {
    if (status === 200) logins++;
  });
  // Until the queue has its full length.
  await setTimeout(1_000);
  const round = await counted(server, async () => {
    logins = 0;
    const began = performance.now();
    const did = await work();
    const seconds = (performance.now() - began) / 1000;
    return { logins: logins / seconds, ...did };
  });
  await stop();
  return round;
}

/** Does `work`, and adds the cores that the server and this process used meanwhile. */
async function counted(server: Child, work: () => Promise<Partial<Round>>): Promise<Round> {
  const used = () => server.cpu() + processorTime(process.pid);
  const [began, before] = [performance.now(), used()];
  const did = await work();
  const cores = (used() - before) / (performance.now() - began);
  return { ...NOTHING, taken: NaN, ...did, cores };
}

/** Lets a process of its own compute without pause. Resolves to the cores that it used. */
async function besideBusyProcess(stage: Stage, seconds: number): Promise<{ taken: number }> {
  // Ends by itself if this process is killed.
  const script = `console.log(); const end = Date.now() + ${seconds * 1000 + 10_000}; while (Date.now() < end);`;
  const busy = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(busy, 'exit');
  const end = () => void busy.kill('SIGKILL');
  stage.finally(end);
  await once(busy.stdout, 'data');
  const { pid = 0 } = busy;
  const [began, before] = [performance.now(), processorTime(pid)];
  await setTimeout(seconds * 1000);
  const taken = (processorTime(pid) - before) / (performance.now() - began);
  end();
  await ended;
  return { taken };
}

/** Returns the milliseconds of one hash in a process that hashes alone. */
async function hashTime(cost: number): Promise<number> {
  const count = String(2 ** (15 - cost));
  const args = ['dist/bench/bcrypt-time.js', String(cost), count];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return Number(stdout);
}

const shown = (value: number): string => (Number.isNaN(value) ? '' : digits(value));
