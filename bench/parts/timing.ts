import { setTimeout } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import { MailItem } from '../../src/mail/mail-item.entity.js';
import { OneTimeToken } from '../../src/mailed-links/one-time-token.entity.js';
import type { Child } from '../child.js';
import { ask, askWell, register } from '../client.js';
import { openToFill } from '../databases.js';
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
  /** The purpose of the tried code. The known account always has such a code with tries left. */
  purpose?: string;
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
    purpose: 'verify-email',
  },
  {
    what: 'new password, wrong code',
    path: '/password/reset',
    status: 400,
    body: (who, number) => ({
      username: emailOf(who, number),
      code: '00000000',
      password: USER.password,
    }),
    purpose: 'reset-password',
  },
];

/** Measures whether the time of an answer tells a known account from an unknown one. */
export async function timing(plan: Plan): Promise<Section> {
  const stage = new Stage(plan.cost);
  try {
    const url = `sqlite:${stage.dir}/timing.sqlite`;
    const server = await stage.latchkey('Latchkey', { DATABASE_URL: url });
    await register(server);
    const owner = { username: 'owner', password: USER.password, email: EMAIL };
    const { body } = await askWell<{ id: string }>(server, 'POST', '/register', { body: owner });
    const database = await openToFill(url);
    stage.finally(() => database.destroy());
    await askWell(server, 'POST', '/password/forgot', { body: { email: EMAIL } });
    const codes = new Codes(database, body.id);
    const rows: string[][] = [];
    const targets: Section['targets'] = [];
    for (const one of CASES) {
      const [known, unknown] = await compare(server, one, plan, codes);
      const ratio = unknown / known;
      rows.push([one.what, known.toFixed(1), unknown.toFixed(1), ratio.toFixed(3)]);
      // Noise is a larger part of a fast answer.
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
        'turns, one at a time, each when the mails of those before are sent; medians of the rounds’ ' +
        'medians. A stranger must not learn from the time who has an account.',
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

/** The codes of the known account. */
class Codes {
  constructor(
    private readonly database: DataSource,
    private readonly userId: string,
  ) {}

  /** Waits until the mails are written: each makes a new code in the place of an older one. */
  async settle(): Promise<void> {
    for (let tries = 0; tries < 600; tries++) {
      if ((await this.database.getRepository(MailItem).count()) === 0) return;
      await setTimeout(100);
    }
    throw new Error('The mails are not sent');
  }

  /** Resets the tries and the expiry of a code. */
  async renew(purpose: string): Promise<void> {
    const expiresAt = new Date(Date.now() + 600_000);
    await this.database
      .getRepository(OneTimeToken)
      .update({ userId: this.userId, purpose }, { codeAttempts: 0, expiresAt });
  }

  /** Returns how often a code was tried. */
  async attempts(purpose: string): Promise<number> {
    const where = { userId: this.userId, purpose };
    return (await this.database.getRepository(OneTimeToken).findOneByOrFail(where)).codeAttempts;
  }
}

async function compare(
  server: Child,
  one: Case,
  plan: Plan,
  codes: Codes,
): Promise<[number, number]> {
  const medians: Record<Who, number[]> = { known: [], unknown: [] };
  for (let round = 0; round < plan.rounds; round++) {
    const times: Record<Who, number[]> = { known: [], unknown: [] };
    for (let i = 0; i < requests(plan); i++) {
      // The two take turns in coming first.
      const order: Who[] = i % 2 ? ['known', 'unknown'] : ['unknown', 'known'];
      for (const who of order) {
        // Work that the request before has left would count for this one.
        await codes.settle();
        // Before the unknown one as well, so that both find the same caches.
        if (one.purpose) await codes.renew(one.purpose);
        const { status, ms } = await ask(server, 'POST', one.path, {
          body: one.body(who, ++numbers),
        });
        if (status !== one.status) throw new Error(`expected ${one.status}, got ${status}`);
        times[who].push(ms);
        if (one.purpose && (await codes.attempts(one.purpose)) !== Number(who === 'known')) {
          throw new Error('the code was not one that may be tried');
        }
      }
    }
    medians.known.push(median(times.known));
    medians.unknown.push(median(times.unknown));
  }
  return [median(medians.known), median(medians.unknown)];
}
