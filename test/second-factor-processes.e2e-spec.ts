import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { IsNull, Not } from 'typeorm';
import { SignInChallenge } from '../src/factors/sign-in-challenge.entity.js';
import { Session } from '../src/sessions/session.entity.js';
import { TotpFactor } from '../src/totp/totp-factor.entity.js';
import { type App, appCode, challengeOf, enrol, unused } from './support/authenticator.js';
import { ask, codeOf } from './support/http.js';
import { freshInstances, type Instances } from './support/instances.js';
import { times } from './support/limits.js';
import { GOOD_PASSWORD, SECRET } from './support/server.js';
import type { ServerProcess } from './support/server-process.js';

/** How often a server is killed: `npm run test:crash` sets 50. */
const KILLS = Math.ceil(Number(process.env.CRASH_KILLS ?? 3) / 2);
/** The users that sign in at the moment of a kill. */
const USERS = 12;
const BOUND = 120_000 + KILLS * 10_000;

interface Owner {
  id: string;
  username: string;
  app: App;
}

let shared: Instances;
beforeEach(async () => {
  shared = await freshInstances();
});
afterEach(() => shared.end());

const start = (): ServerProcess =>
  shared.start({
    DATABASE_URL: shared.database.url,
    DATA_DIR: join(shared.cwd, 'data'),
    JWT_SECRET_KEY: SECRET,
    RATE_LIMITS: 'off',
  });

/** Registers a user with an app. */
async function owner(url: string, username: string): Promise<Owner> {
  const user = { username, password: GOOD_PASSWORD };
  const { body } = await ask(url, 'POST', '/register', user);
  const { jwt } = (await ask(url, 'POST', '/login', user)).body;
  return { id: String(body.id), username, app: await enrol(url, String(jwt)) };
}
const begin = (url: string, { username }: Owner) => challengeOf(url, username, GOOD_PASSWORD);
const answer = (url: string, body: object) => ask(url, 'POST', '/login/second-factor', body);

it(
  'takes one code, recovery code or challenge once, of 16 at once on two instances',
  async () => {
    const urls = (await Promise.all([start(), start()].map(({ listening }) => listening))) as [
      string,
      string,
    ];
    const ada = await owner(urls[0], 'ada');
    const urlOf = (index: number) => urls[index % 2] ?? urls[0];
    /** Sends 16 answers at once; resolves to how many of them succeeded, and the refusals. */
    const race = async (challenges: string[], proof: object) => {
      const answers = await times(16, (index) =>
        codeOf(answer(urlOf(index), { challenge: challenges[index], ...proof })),
      );
      const refusals = new Set(answers.filter((one) => one !== 200));
      return [answers.filter((one) => one === 200).length, [...refusals]];
    };
    const challenges = (): Promise<string[]> => times(16, (index) => begin(urlOf(index), ada));

    await unused(shared.dataSource);
    const code = appCode(ada.app.secret);
    expect(await race(await challenges(), { code })).toEqual([1, ['code_invalid']]);
    const [recovery_code] = ada.app.recoveryCodes;
    expect(await race(await challenges(), { recovery_code })).toEqual([1, ['code_invalid']]);
    await unused(shared.dataSource);
    const one = await begin(urls[0], ada);
    const [succeeded] = await race(Array<string>(16).fill(one), { code: appCode(ada.app.secret) });
    expect(succeeded).toBe(1);
    // The sign-ins beside the one that enrolled the app.
    expect(await sessionsOf(ada)).toBe(1 + 3);
  },
  BOUND,
);

it(
  `leaves all or nothing of a sign-in when the server is killed between code and session, ${KILLS} times`,
  async () => {
    let instance = start();
    let url = await instance.listening;
    const owners: Owner[] = [];
    for (let number = 0; number < USERS; number++) owners.push(await owner(url, `user${number}`));
    for (let kills = 0; kills < KILLS; kills++) {
      await unused(shared.dataSource);
      await shared.dataSource.createQueryBuilder().delete().from(SignInChallenge).execute();
      const before = await Promise.all(owners.map(sessionsOf));
      const challenges = await Promise.all(owners.map((one) => begin(url, one)));
      const { child, exit } = instance;
      let left = randomInt(USERS / 2);
      const kill = () => void setTimeout(randomInt(10)).then(() => child.kill('SIGKILL'));
      if (left === 0) kill();
      const acknowledged = await Promise.all(
        owners.map(async ({ app }, index) => {
          const proof = { challenge: challenges[index], code: appCode(app.secret) };
          const outcome = await codeOf(answer(url, proof)).catch(() => 'no answer');
          if (--left === 0) kill();
          return outcome;
        }),
      );
      await exit;
      instance = start();
      url = await instance.listening;
      for (const [index, user] of owners.entries()) {
        const used = await shared.dataSource
          .getRepository(SignInChallenge)
          .countBy({ userId: user.id, usedAt: Not(IsNull()) });
        const { lastStep } = await shared.dataSource
          .getRepository(TotpFactor)
          .findOneByOrFail({ id: user.app.id });
        const started = (await sessionsOf(user)) - (before[index] ?? 0);
        expect([user.username, used, lastStep > 0]).toEqual([
          user.username,
          started,
          started === 1,
        ]);
        if (acknowledged[index] !== 'no answer')
          expect([acknowledged[index], started]).toEqual([200, 1]);
        // What the kill undid can be sent again.
        const proof = { challenge: challenges[index], code: appCode(user.app.secret) };
        expect(await codeOf(answer(url, proof))).toBe(started === 1 ? 'challenge_invalid' : 200);
      }
    }
  },
  BOUND,
);

const sessionsOf = ({ id }: Owner) =>
  shared.dataSource.getRepository(Session).countBy({ userId: id, aal: 2, endedAt: IsNull() });
