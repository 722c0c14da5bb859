import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Child } from '../child.js';
import { register, signIn } from '../client.js';
import { interleave, measure, median, middle, type Plan, type Rate, ratio } from '../measure.js';
import { digits, type Section } from '../report.js';
import { Stage } from '../stage.js';
import { startAgain } from './start.js';

/** The oldest Node that Latchkey supports, and the recommended one. */
const VERSIONS = ['20.19', '24'] as const;
type Version = (typeof VERSIONS)[number];

/** Where these versions are installed. */
const FOLDER = 'node_modules/.cache/bench-nodes';

const LATCHKEY = 'Latchkey';
const SAME_DUTIES = 'Fastify + fast-jwt with the same duties';
const FAST_JWT = 'Fastify + fast-jwt';
const NEST = 'Nest on Fastify with TypeORM';

/** One line of the table, and its targets. */
interface Figure {
  what: string;
  unit: string;
  of: (node: Version) => number;
  atLeast?: Partial<Record<Version, number>>;
  atMost?: Partial<Record<Version, number>>;
}

/** The guard, the start and the memory on two versions of Node, in the same rounds. */
export async function nodes(plan: Plan): Promise<Section> {
  const stages: Stage[] = [];
  const guarded: Record<string, () => Promise<Rate>> = {};
  const starts: Record<string, () => ReturnType<typeof startAgain>> = {};
  try {
    for (const node of VERSIONS) {
      const stage = new Stage(plan.cost, [], installed(node));
      stages.push(stage);
      const latchkey = await stage.latchkey(LATCHKEY);
      await register(latchkey);
      const authorizations = (await signIn(latchkey, 16)).map(({ jwt }) => `Bearer ${jwt}`);
      const load = { path: '/protected', connections: 32, seconds: plan.seconds, awake: true };
      const guard = (name: string, server: Child) => {
        guarded[key(node, name)] = () => measure(server, { ...load, authorizations });
      };
      guard(LATCHKEY, latchkey);
      guard(SAME_DUTIES, await stage.peer('fastify-same-duties'));
      guard(FAST_JWT, await stage.peer('fastify-fast-jwt'));
      const start = (name: string, begin: (own: Stage) => Promise<Child>) => {
        starts[key(node, name)] = () =>
          startAgain(new Stage(plan.cost, [], installed(node)), begin);
      };
      start(LATCHKEY, (own) => own.latchkey(LATCHKEY, { DATABASE_URL: `sqlite:${own.dir}/a` }));
      start(NEST, (own) => own.peer('nest-typeorm'));
    }
    // Each server answers beforehand, so that no round compiles code.
    await interleave(1, guarded);
    const rates = await interleave(2 * plan.rounds, guarded);
    const started = await interleave(plan.rounds, starts);
    const perSecond = (node: Version, name: string) =>
      (rates[key(node, name)] ?? []).map((rate) => rate.perSecond);
    const toPeer = (name: string) => (node: Version) =>
      ratio(perSecond(node, LATCHKEY), perSecond(node, name));
    const startOf = (node: Version, name: string, figure: 'again' | 'idle') =>
      (started[key(node, name)] ?? []).map((round) => round[figure]);
    const figures: Figure[] = [
      ...[LATCHKEY, SAME_DUTIES, FAST_JWT].map((name) => ({
        what: `${name}, requests a second`,
        unit: '',
        of: (node: Version) => middle(rates[key(node, name)] ?? [], 'perSecond'),
      })),
      {
        what: `\`/protected\` to ${SAME_DUTIES}`,
        unit: ' ×',
        of: toPeer(SAME_DUTIES),
        atLeast: { '20.19': 0.85, 24: 1 },
      },
      {
        what: `\`/protected\` to ${FAST_JWT}`,
        unit: ' ×',
        of: toPeer(FAST_JWT),
        atLeast: { 24: 0.85 },
      },
      {
        what: 'Start with an existing database',
        unit: ' ms',
        of: (node) => median(startOf(node, LATCHKEY, 'again')),
        atMost: { '20.19': 1_100, 24: 800 },
      },
      {
        what: `Start with an existing database, to ${NEST}`,
        unit: ' ×',
        of: (node) => ratio(startOf(node, LATCHKEY, 'again'), startOf(node, NEST, 'again')),
        atMost: { '20.19': 1.5, 24: 1.5 },
      },
      {
        what: 'Memory after the start',
        unit: ' MiB',
        of: (node) => median(startOf(node, LATCHKEY, 'idle')),
        atMost: { 24: 110 },
      },
      {
        what: `Memory after the start of ${NEST}`,
        unit: ' MiB',
        of: (node) => median(startOf(node, NEST, 'idle')),
      },
    ];
    return {
      title: 'Two versions of Node',
      text:
        '`/protected` as under _The guard_, and the start and the memory as under _Start and memory_, on the oldest ' +
        'Node that is supported and on the recommended one, in the same rounds.',
      columns: ['', ...VERSIONS.map((node) => `Node ${node}`)],
      rows: figures.map(({ what, unit, of }) => [
        what,
        ...VERSIONS.map((node) => digits(of(node)) + unit),
      ]),
      targets: VERSIONS.flatMap((node) =>
        figures.map(({ what, unit, of, atLeast, atMost }) => ({
          what: `Node ${node}: ${what}`,
          measured: of(node),
          unit,
          atLeast: atLeast?.[node],
          atMost: atMost?.[node],
        })),
      ).filter(({ atLeast, atMost }) => (atLeast ?? atMost) !== undefined),
    };
  } finally {
    for (const stage of stages) await stage.close();
  }
}

const key = (node: Version, name: string) => `${node} ${name}`;

/** Returns the program of a version of Node, which is installed if it is not there. */
function installed(node: Version): string {
  const folder = join(FOLDER, node);
  const program = resolve(folder, 'node_modules/.bin/node');
  if (!existsSync(program)) {
    const args = ['install', '--silent', '--no-save', '--prefix', folder, `node@${node}`];
    execFileSync('npm', args, { stdio: ['ignore', 2, 2] });
  }
  return program;
}
