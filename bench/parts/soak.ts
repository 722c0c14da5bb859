import { setTimeout } from 'node:timers/promises';
import type { Child } from '../child.js';
import { ask, askWell, exchange, register, signIn } from '../client.js';
import { startLogins } from '../logins.js';
import { median, type Plan } from '../measure.js';
import { digits, type Section } from '../report.js';
import { READER, Stage } from '../stage.js';

/** The time between two looks at the memory, in milliseconds. */
const LOOK = 5_000;

/** The share of the time in which caches fill and code is compiled, which is left out. */
const WARM_UP = 0.2;

/** Pages and documents that anyone may read. */
const OPEN = ['/health/ready', '/openapi.json', '/docs', '/account/reset-password?token=none'];

/** Whether the memory of the server grows under a mixed load that lasts. */
export async function soak(plan: Plan): Promise<Section> {
  const minutes = plan.quick ? 1 : 10;
  const stage = new Stage(10);
  try {
    const server = await stage.latchkey('Latchkey');
    await register(server);
    await register(server, READER);
    const load = await startLoad(server);
    const looks: [minute: number, mib: number][] = [];
    const began = performance.now();
    for (let minute = 0; minute < minutes;) {
      await setTimeout(LOOK);
      minute = (performance.now() - began) / 60_000;
      looks.push([minute, server.memory()]);
    }
    const requests = await load.stop();
    const steady = looks.filter(([minute]) => minute > minutes * WARM_UP);
    const at = (from: number, to: number) =>
      digits(median(looks.filter(([m]) => m > from && m <= to).map(([, mib]) => mib)));
    const part = minutes / 5;
    return {
      title: 'Memory under a lasting load',
      text:
        `${minutes} minutes of logins (2 clients), refreshes (2), guarded requests (4), registrations, wrong ` +
        `passwords and pages (1 each), all without pause, bcrypt of cost 10: ${digits(requests)} requests. Resident memory in MiB, the ` +
        'median of each fifth of the time. The growth is the slope of a line through all looks after the first fifth.',
      columns: ['', '1st', '2nd', '3rd', '4th', '5th'],
      rows: [['MiB', ...[0, 1, 2, 3, 4].map((i) => at(i * part, (i + 1) * part))]],
      targets: [
        {
          what: 'Growth under a mixed load, after the first fifth of it',
          measured: slope(steady),
          atMost: 1,
          unit: ' MiB a minute',
        },
      ],
    };
  } finally {
    await stage.close();
  }
}

/** Starts all clients. `stop` ends them, and resolves to the number of their requests. */
async function startLoad(server: Child): Promise<{ stop: () => Promise<number> }> {
  let [goesOn, requests] = [true, 0];
  const [first, ...others] = await signIn(server, 3, READER);
  const jwt = first?.jwt;
  const again = (work: (round: number) => Promise<unknown>) =>
    (async () => {
      for (let round = 0; goesOn; round++, requests++) await work(round);
    })();
  const guarded = ['/protected', '/me', '/me/sessions'];
  const clients = [
    ...Array.from({ length: 4 }, () =>
      again((round) => askWell(server, 'GET', guarded[round % guarded.length] ?? '', { jwt })),
    ),
    ...others.map(({ refresh_token: token }) => {
      let next = token;
      return again(async () => (next = (await exchange(server, next)).body.refresh_token));
    }),
    again((round) => {
      const body = { username: `soak${round}`, password: `a password of number ${round}` };
      return askWell(server, 'POST', '/register', { body });
    }),
    again((round) => {
      const body = { username: `soak${round}`, password: 'not the password' };
      return ask(server, 'POST', '/login', { body });
    }),
    again((round) => askText(server, OPEN[round % OPEN.length] ?? '')),
  ];
  const stopLogins = startLogins(server, 2, () => requests++);
  return {
    stop: async () => {
      goesOn = false;
      await Promise.all(clients);
      await stopLogins();
      return requests;
    },
  };
}

async function askText(server: Child, path: string): Promise<void> {
  await (await fetch(server.url + path)).arrayBuffer();
}

/** The slope of the line through `points` that fits them best (least squares). */
function slope(points: [x: number, y: number][]): number {
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [middleX, middleY] = [mean(points.map(([x]) => x)), mean(points.map(([, y]) => y))];
  const above = points.reduce((sum, [x, y]) => sum + (x - middleX) * (y - middleY), 0);
  return above / points.reduce((sum, [x]) => sum + (x - middleX) ** 2, 0);
}
