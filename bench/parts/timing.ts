import type { Child } from '../child.js';
import { ask, register } from '../client.js';
import { median, type Plan } from '../measure.js';
import { digits, type Section } from '../report.js';
import { Stage, USER } from '../stage.js';

type Who = 'known' | 'unknown';

/** A request that names an account, and the answer that it gets whether there is one or not. */
interface Case {
  what: string;
  path: string;
  status: number;
  body: (who: Who, number: number) => object;
}

const EMAIL = 'known@example.org';
const emailOf = (who: Who, number: number): string =>
  who === 'known' ? EMAIL : `nobody${number}@example.org`;

const CASES: Case[] = [
  {
    what: 'login, wrong password',
    path: '/login',
    status: 401,
    body: (who, number) => ({
      username: who === 'known' ? USER.username : `nobody${number}`,
      password: `wrong password ${number}`,
    }),
  },
  {
    what: 'registration with an address',
    path: '/register',
    status: 201,
    body: (who, number) => ({
      username: `${who}${number}`,
      password: USER.password,
      email: emailOf(who, number),
    }),
  },
  {
    what: 'forgotten password',
    path: '/password/forgot',
    status: 202,
    body: (who, number) => ({ email: emailOf(who, number) }),
  },
  {
    what: 'verification, wrong code',
    path: '/email/verify',
    status: 400,
    body: (who, number) => ({ username: emailOf(who, number), code: '00000000' }),
  },
];

/** Whether the time of an answer tells a known account from an unknown one. */
export async function timing(plan: Plan): Promise<Section> {
  const stage = new Stage(plan.cost);
  try {
    const server = await stage.latchkey('Latchkey');
    await register(server);
    const owner = { username: 'owner', password: USER.password, email: EMAIL };
    await ask(server, 'POST', '/register', { body: owner });
    const rows: string[][] = [];
    const targets: Section['targets'] = [];
    for (const one of CASES) {
      const [known, unknown] = await compare(server, one, plan);
      const ratio = unknown / known;
      rows.push([one.what, known.toFixed(1), unknown.toFixed(1), ratio.toFixed(3)]);
      // A fast answer's noise is a larger part of it.
      const margin = one.status === 401 || one.status === 201 ? 0.02 : 0.15;
      targets.push({
        what: `${one.what}: unknown account, time to that with a known one`,
        measured: ratio,
        atLeast: 1 - margin,
        atMost: 1 + margin,
        unit: ' ×',
      });
    }
    return {
      title: 'Known and unknown accounts',
      text:
        `${plan.rounds} rounds of ${requests(plan)} requests with a known and an unknown account in ` +
        'turns, one at a time; medians of the rounds’ medians. A stranger must not learn from the ' +
        'time who has an account.',
      columns: ['request', 'known, ms', 'unknown, ms', 'ratio'],
      rows: rows.map((row) => [...row.slice(0, 3), digits(Number(row[3]))]),
      targets,
    };
  } finally {
    await stage.close();
  }
}

const requests = (plan: Plan): number => (plan.quick ? 5 : 20);

let numbers = 0;

async function compare(server: Child, one: Case, plan: Plan): Promise<[number, number]> {
  const medians: Record<Who, number[]> = { known: [], unknown: [] };
  for (let round = 0; round < plan.rounds; round++) {
    const times: Record<Who, number[]> = { known: [], unknown: [] };
    for (let i = 0; i < requests(plan); i++) {
      // Which comes first changes, so that neither always follows the other.
      const order: Who[] = i % 2 ? ['known', 'unknown'] : ['unknown', 'known'];
      for (const who of order) {
        const { status, ms } = await ask(server, 'POST', one.path, {
          body: one.body(who, ++numbers),
        });
        if (status !== one.status) throw new Error(`expected ${one.status}, got ${status}`);
        times[who].push(ms);
      }
    }
    medians.known.push(median(times.known));
    medians.unknown.push(median(times.unknown));
  }
  return [median(medians.known), median(medians.unknown)];
}
