import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { IsNull } from 'typeorm';
import { Session } from '../src/sessions/session.entity.js';
import { User } from '../src/users/user.entity.js';
import { addApp, appCode, unused } from './support/authenticator.js';
import { challengeOf } from './support/factors.js';
import { ask, codeOf } from './support/http.js';
import { freshInstances, type Instances } from './support/instances.js';
import { isSignIn } from './support/mail-sign-ins.js';
import { mailsOf } from './support/mailbox.js';
import { addPasskey, optionsOf } from './support/passkeys.js';
import { GOOD_PASSWORD, SECRET } from './support/server.js';
import { until } from './support/wait.js';
import { Authenticator } from './support/webauthn-authenticator.js';

/** How often the server is killed: `npm run test:crash` sets 50. */
const KILLS = Math.ceil(Number(process.env.CRASH_KILLS ?? 3) / 2);
/** The users of each way in that sign in at the moment of a kill. */
const USERS = 5;
const ORIGIN = 'http://localhost:3000';
const BOUND = 120_000 + KILLS * 10_000;

interface Owner {
  id: string;
  username: string;
  email: string;
  jwt: string;
}

/** The last request of a sign-in. */
type Proof = [path: string, body: object];

/** Gives a user the credentials of a way in. Resolves to how a sign-in begins, up to its last request. */
type WayIn = (url: string, owner: Owner) => Promise<(url: string) => Promise<Proof>>;

let shared: Instances;
beforeEach(async () => {
  shared = await freshInstances();
});
afterEach(() => shared.end());

const start = () =>
  shared.start({
    DATABASE_URL: shared.database.url,
    DATA_DIR: join(shared.cwd, 'data'),
    JWT_SECRET_KEY: SECRET,
    PUBLIC_URL: ORIGIN,
    RATE_LIMITS: 'off',
    SIGN_IN_BY_MAIL: 'on',
  });

/** Registers a passkey for a user. */
async function passkeyOf(url: string, { jwt }: Owner): Promise<Authenticator> {
  const authenticator = new Authenticator(ORIGIN);
  expect(await codeOf(addPasskey({ url }, jwt, authenticator))).toBe(201);
  return authenticator;
}

const WAYS: Record<string, WayIn> = {
  'the code of an app': async (home, { jwt, username }) => {
    const { secret } = await addApp(home, jwt);
    return async (url) => {
      const challenge = await challengeOf({ url }, username);
      return ['/login/second-factor', { challenge, code: appCode(secret) }];
    };
  },
  'a recovery code': async (home, { jwt, username }) => {
    const { recoveryCodes } = await addApp(home, jwt);
    return async (url) => {
      const challenge = await challengeOf({ url }, username);
      return ['/login/second-factor', { challenge, recovery_code: recoveryCodes.pop() }];
    };
  },
  'a passkey': async (home, owner) => {
    const authenticator = await passkeyOf(home, owner);
    return async (url) => {
      const options = await optionsOf({ url }, '/login/passkey/options');
      return ['/login/passkey', { response: authenticator.get(options) }];
    };
  },
  'a passkey after a password': async (home, owner) => {
    const authenticator = await passkeyOf(home, owner);
    return async (url) => {
      const challenge = await challengeOf({ url }, owner.username);
      const options = await optionsOf({ url }, '/login/passkey/options', { challenge });
      return ['/login/second-factor', { challenge, passkey: authenticator.get(options) }];
    };
  },
  'a mailed code': (_home, { email }) =>
    Promise.resolve(async (url) => {
      const config = { dataDir: join(shared.cwd, 'data') };
      const mailed = async () =>
        (await mailsOf({ config })).filter((mail) => mail.to === email && isSignIn(mail));
      const { length } = await mailed();
      const { challenge } = (await ask(url, 'POST', '/login/mail', { email })).body;
      const { code } = await until(async () => (await mailed())[length], `a mail to ${email}`);
      return ['/login/mail/verify', { challenge, code }];
    }),
};

/** Registers and signs in a user with a verified address. */
async function newOwner(url: string, username: string): Promise<Owner> {
  const user = { username, password: GOOD_PASSWORD, email: `${username}@example.org` };
  const id = String((await ask(url, 'POST', '/register', user)).body.id);
  await shared.dataSource.getRepository(User).update({ id }, { emailVerifiedAt: new Date() });
  const { jwt } = (await ask(url, 'POST', '/login', user)).body;
  return { ...user, id, jwt: String(jwt) };
}

const sessionsOf = (userId: string) =>
  shared.dataSource.getRepository(Session).countBy({ userId, endedAt: IsNull() });

it(
  `leaves all or nothing of a sign-in when the server is killed before its session, ${KILLS} times`,
  async () => {
    let instance = start();
    let url = await instance.listening;
    const signIns: { what: string; id: string; begin: (url: string) => Promise<Proof> }[] = [];
    for (let number = 0; number < USERS; number++) {
      for (const [what, way] of Object.entries(WAYS)) {
        const owner = await newOwner(url, `user${signIns.length}`);
        signIns.push({ what, id: owner.id, begin: await way(url, owner) });
      }
    }
    for (let kills = 0; kills < KILLS; kills++) {
      // The codes of the last minutes are good again.
      await unused(shared.dataSource);
      const begun = await Promise.all(
        signIns.map(async ({ what, id, begin }) => {
          const [path, body] = await begin(url);
          const complete = () => codeOf(ask(url, 'POST', path, body));
          return { what, id, complete, before: await sessionsOf(id) };
        }),
      );
      const { child, exit } = instance;
      let left = randomInt(1, signIns.length);
      const kill = () => void setTimeout(randomInt(10)).then(() => child.kill('SIGKILL'));
      const answers = await Promise.all(
        begun.map(async ({ complete }) => {
          const answer = await complete().catch(() => 'none');
          if (--left === 0) kill();
          return answer;
        }),
      );
      await exit;

      instance = start();
      url = await instance.listening;
      for (const [index, { what, id, complete, before }] of begun.entries()) {
        const started = (await sessionsOf(id)) - before;
        const answer = answers[index];
        if (answer !== 'none') expect([what, answer, started]).toEqual([what, 200, 1]);
        // A proof without a session can be sent again. The proof of a stored session is used up.
        const again = (await complete()) === 200;
        expect([what, again, (await sessionsOf(id)) - before]).toEqual([what, started === 0, 1]);
      }
    }
  },
  BOUND,
);
