import { setTimeout } from 'node:timers/promises';
import autocannon from 'autocannon';
import type { Child } from '../child.js';
import { register, signIn } from '../client.js';
import { interleave, median, type Plan } from '../measure.js';
import { digits, type Section } from '../report.js';
import { hasNodeSqlite, Stage } from '../stage.js';

/** Time to the first answer, and resident memory. */
export async function start(plan: Plan): Promise<Section> {
  const requests = plan.quick ? 5_000 : 100_000;
  const own = () => new Stage(plan.cost);
  const variants: Record<string, () => ReturnType<typeof startAgain>> = {
    Latchkey: () =>
      startAgain(own(), (stage) =>
        stage.latchkey('Latchkey', { DATABASE_URL: `sqlite:${stage.dir}/a` }),
      ),
    'Nest on Fastify with TypeORM': () => startAgain(own(), (stage) => stage.peer('nest-typeorm')),
    ...(hasNodeSqlite && {
      'better-auth with SQLite': () => startAgain(own(), (stage) => stage.peer('better-auth')),
    }),
    'documentation’s sample': () => startAgain(own(), (stage) => stage.peer('nest-docs')),
    'Fastify + fast-jwt': () => startAgain(own(), (stage) => stage.peer('fastify-fast-jwt')),
  };
  const found = await interleave(plan.rounds, variants);
  const stage = new Stage(plan.cost);
  const memory: [string, number][] = [];
  try {
    const server = await stage.latchkey('Latchkey');
    await register(server);
    const headers = { authorization: `Bearer ${(await signIn(server, 1))[0]?.jwt ?? ''}` };
    for (const path of ['/protected', '/me']) {
      await autocannon({ url: server.url + path, connections: 50, amount: requests, headers });
      memory.push([`after ${digits(requests)} × ${path}`, server.memory()]);
    }
  } finally {
    await stage.close();
  }
  return {
    title: 'Start and memory',
    text:
      'Milliseconds from the start of the process to its first answer, on a fresh database and on ' +
      'one that is there; _CPU_ is the processor time of the second until then, all threads together; resident ' +
      'memory of the process a second after that, in MiB. (The peers start anew each time; the sample and ' +
      'better-auth hash the password of their one user then.)',
    columns: ['', 'first start ms', 'next start ms', 'CPU ms', 'idle MiB'],
    rows: [
      ...Object.entries(found).map(([name, rounds]) => [
        name,
        digits(median(rounds.map((round) => round.first))),
        digits(median(rounds.map((round) => round.again))),
        digits(median(rounds.map((round) => round.cpu))),
        digits(median(rounds.map((round) => round.idle))),
      ]),
      ...memory.map(([what, mib]) => [`Latchkey, ${what}`, '', '', '', digits(mib)]),
    ],
    targets: [],
  };
}

/**
 * Starts a server twice on a stage of its own, which it closes. Resolves to the milliseconds of both starts, and to
 * the processor time and the memory after the second one; the memory a second later.
 */
export async function startAgain(
  stage: Stage,
  begin: (stage: Stage) => Promise<Child>,
): Promise<{ first: number; again: number; cpu: number; idle: number }> {
  try {
    const server = await begin(stage);
    await server.stop();
    const again = await begin(stage);
    const cpu = again.cpu();
    await setTimeout(1_000);
    return { first: server.started, again: again.started, cpu, idle: again.memory() };
  } finally {
    await stage.close();
  }
}
