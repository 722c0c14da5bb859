import { join } from 'node:path';
import { IsNull } from 'typeorm';
import { Session } from '../src/sessions/session.entity.js';
import { addApp, type App, appCode, unused } from './support/authenticator.js';
import { challengeOf } from './support/factors.js';
import { ask, codeOf } from './support/http.js';
import { freshInstances, type Instances } from './support/instances.js';
import { times } from './support/limits.js';
import { GOOD_PASSWORD, SECRET } from './support/server.js';
import type { ServerProcess } from './support/server-process.js';

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
  return { id: String(body.id), username, app: await addApp(url, String(jwt)) };
}
const begin = (url: string, { username }: Owner) => challengeOf({ url }, username);
const answer = (url: string, body: object) => ask(url, 'POST', '/login/second-factor', body);

it('takes one code, recovery code or challenge once, of 16 at once on two instances', async () => {
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
}, 120_000);

const sessionsOf = ({ id }: Owner) =>
  shared.dataSource.getRepository(Session).countBy({ userId: id, aal: 2, endedAt: IsNull() });
