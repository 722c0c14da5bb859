import { Secret, TOTP } from 'otpauth';
import type { Child } from '../child.js';
import { ask, askWell, register, type Tokens, warmUp } from '../client.js';
import { interleave, median, type Plan, ratio } from '../measure.js';
import { digits, type Section } from '../report.js';
import { Stage, USER } from '../stage.js';

const CLIENTS = 8;

/** The time step of codes, in milliseconds. */
const STEP = 30_000;

/** A user with an authenticator app. */
export interface Owner {
  username: string;
  secret: Secret;
  /** The step of the last used code. */
  last: number;
}

/** Logins by a password and the code of an app, against logins by a password alone. */
export async function secondFactor(plan: Plan): Promise<Section> {
  const stage = new Stage(plan.cost);
  try {
    const server = await stage.latchkey('Latchkey');
    await register(server);
    await warmUp(server, plan.quick ? 10 : 3_000);
    // A code is good once, so a user signs in once in 30 s. With fewer users, the clients wait for codes.
    const owners = await makeOwners(server, plan.quick ? 128 : 256);
    const amount = plan.quick ? 16 : 48;
    const alone = 'by password';
    const both = 'by password and code';
    const found = await interleave(2 * plan.rounds, {
      [alone]: () =>
        rate(amount, () => askWell(server, 'POST', '/login', { body: USER }).then(() => undefined)),
      [both]: () => rate(amount, () => signInByCode(server, owners)),
    });
    return {
      title: 'Logins with a second factor',
      text:
        `${CLIENTS} clients, bcrypt of cost ${plan.cost}. A login by password and code is two requests: the first ` +
        'answers with a challenge, the second takes it and the code of an authenticator app.',
      columns: ['', 'logins/s'],
      rows: Object.entries(found).map(([name, rates]) => [name, digits(median(rates))]),
      targets: [
        {
          what: 'Logins with a code, to logins without',
          measured: ratio(found[both], found[alone]),
          atLeast: 0.95,
          unit: ' ×',
        },
      ],
    };
  } finally {
    await stage.close();
  }
}

/** Registers users and adds an app to each, a few at once. */
export async function makeOwners(server: Child, count: number): Promise<Owner[]> {
  const owners: Owner[] = [];
  let number = 0;
  const run = async () => {
    while (number < count) {
      const username = `owner${number++}`;
      const body = { ...USER, username };
      await askWell(server, 'POST', '/register', { body });
      const { jwt } = (await askWell<Tokens>(server, 'POST', '/login', { body })).body;
      const path = '/me/factors/totp';
      const enrolment = await askWell<{ id: string; secret: string }>(server, 'POST', path, {
        body: {},
        jwt,
      });
      const owner = { username, secret: Secret.fromBase32(enrolment.body.secret), last: 0 };
      const confirm = `${path}/${enrolment.body.id}/confirm`;
      await askWell(server, 'POST', confirm, { body: { code: nextCode(owner) }, jwt });
      owners.push(owner);
    }
  };
  await Promise.all([run(), run(), run()]);
  return owners;
}

/** Signs the next user in that has an unused code. */
export async function signInByCode(server: Child, owners: Owner[]): Promise<void> {
  for (;;) {
    const owner = owners.shift();
    if (!owner) throw new Error('There are too few users for so many logins');
    const code = nextCode(owner);
    owners.push(owner);
    if (code === undefined) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      continue;
    }
    const body = { ...USER, username: owner.username };
    const { body: refused } = await ask<{ challenge: string }>(server, 'POST', '/login', { body });
    const { challenge } = refused;
    await askWell(server, 'POST', '/login/second-factor', { body: { challenge, code } });
    return;
  }
}

/** Returns a code that the server takes now and that was not used; undefined if all were used. */
function nextCode(owner: Owner): string | undefined {
  const now = Math.floor(Date.now() / STEP);
  const step = Math.max(owner.last + 1, now);
  if (step > now + 1) return undefined;
  owner.last = step;
  return TOTP.generate({ secret: owner.secret, timestamp: step * STEP });
}

/** The rate of `amount` logins, from the answer of one to that of another, while all clients have one under way. */
async function rate(amount: number, login: () => Promise<void>): Promise<number> {
  let [done, began, ended] = [0, 0, 0];
  const run = async () => {
    while (done < CLIENTS + amount) {
      await login();
      done++;
      if (done === CLIENTS) began = performance.now();
      if (done === CLIENTS + amount) ended = performance.now();
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, run));
  return (amount / (ended - began)) * 1000;
}
