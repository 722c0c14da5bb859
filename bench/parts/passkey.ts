import type { Child } from '../child.js';
import { ask, askWell, register, type Tokens } from '../client.js';
import { Authenticator } from '../../test/support/webauthn-authenticator.js';
import { LEFT_OUT, onEachDatabase } from '../databases.js';
import { interleave, median, type Plan, ratio } from '../measure.js';
import { digits, type Section, type Target } from '../report.js';
import { USER } from '../stage.js';
import { logins } from './login.js';

const CLIENTS = 8;
/** So many users that none reaches the largest number of sessions. After that each sign-in would end an older one. */
const USERS = 128;
/** Sign-ins by passkey to those by password, whose hash has the cost 12. Each step less halves its time. */
const TARGET = 50;
const ORIGIN = 'http://localhost:3000';

interface Options {
  challenge: string;
  rpId: string;
  rp: { id: string };
  user: { id: string };
}

/** Sign-ins a second by passkey, of two requests each, against those by password. */
export async function passkey(plan: Plan): Promise<Section> {
  const rows: string[][] = [];
  const targets: Target[] = [];
  await onEachDatabase(plan, async ({ kind, stage, url }) => {
    const start = async (name: string) => {
      const env = { DATABASE_URL: await url(name), PUBLIC_URL: ORIGIN };
      const server = await stage.patient(name, 'on', env);
      await register(server);
      return server;
    };
    const [byPassword, byPasskey] = [await start('password'), await start('passkey')];
    const authenticators = await enrolled(byPasskey, plan.quick ? 64 : USERS);
    const signIns = () => perSecond(byPasskey, authenticators, plan.seconds);
    // The code is compiled, and the library loaded.
    await perSecond(byPasskey, authenticators, plan.quick ? 1 : 10);
    const found = await interleave(plan.rounds, {
      password: async () => (await logins(byPassword, CLIENTS, plan.quick ? 16 : 48)).perSecond,
      passkey: signIns,
    });
    const measured = ratio(found.passkey, found.password);
    rows.push([
      kind,
      digits(median(found.password)),
      digits(median(found.passkey)),
      digits(measured),
    ]);
    const what = `Sign-ins by passkey on ${kind}, to those by password of cost ${plan.cost}`;
    targets.push({ what, measured, atLeast: TARGET / 2 ** (12 - plan.cost), unit: ' ×' });
  });
  return {
    title: 'Sign-ins by passkey',
    text:
      `Sign-ins a second of ${CLIENTS} clients: by password at cost ${plan.cost}, and by passkey (ES256), for ` +
      'many users in turns. One by passkey is two requests, for the options and for the tokens, and the clients sign ' +
      'on the same machine. ' +
      `Medians; the ratio is the median of the rounds’.${LEFT_OUT}`,
    columns: ['', 'by password', 'by passkey', 'ratio'],
    rows,
    targets,
  };
}

/** Registers users with a passkey each. */
async function enrolled(server: Child, users: number): Promise<Authenticator[]> {
  const enrol = async (number: number) => {
    const body = { ...USER, username: `passkey${number}` };
    await askWell(server, 'POST', '/register', { body });
    const { body: tokens } = await askWell<Tokens>(server, 'POST', '/login', { body });
    const authenticator = new Authenticator(ORIGIN);
    const own = { jwt: tokens.jwt, body: {} };
    const { body: options } = await askWell<Options>(server, 'POST', '/me/passkeys/options', own);
    const response = authenticator.create(options);
    await askWell(server, 'POST', '/me/passkeys', { ...own, body: { response } });
    return authenticator;
  };
  const authenticators: Authenticator[] = [];
  for (let number = 0; number < users; number += CLIENTS) {
    const some = Array.from({ length: CLIENTS }, (_none, index) => enrol(number + index));
    authenticators.push(...(await Promise.all(some)));
  }
  return authenticators;
}

async function perSecond(
  server: Child,
  authenticators: Authenticator[],
  seconds: number,
): Promise<number> {
  const end = performance.now() + seconds * 1000;
  let done = 0;
  const client = async (_none: unknown, index: number) => {
    // No two clients share a user, because sign-ins of one user wait for each other.
    const own = authenticators.filter((_authenticator, number) => number % CLIENTS === index);
    for (let turn = 0; performance.now() < end; turn++) {
      const authenticator = own[turn % own.length];
      if (!authenticator) return;
      const { body } = await ask<Options>(server, 'POST', '/login/passkey/options', { body: {} });
      // Like a passkey that is synced, it does not count: answers arrive in any order.
      const response = authenticator.get(body, { count: 0 });
      await askWell(server, 'POST', '/login/passkey', { body: { response } });
      done++;
    }
  };
  const began = performance.now();
  await Promise.all(Array.from({ length: CLIENTS }, client));
  return (done / (performance.now() - began)) * 1000;
}
