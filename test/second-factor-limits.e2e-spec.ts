import { appCode, personWithApp, unused, wrongCode } from './support/authenticator.js';
import { bearer, codeOf } from './support/http.js';
import { HOME, limitedServers, login, newAddress, post, STORES, times } from './support/limits.js';
import { GOOD_PASSWORD, type Server } from './support/server.js';

/** Returns a new challenge for a client with the right password. */
async function challenge(server: Server, username: string, from: string): Promise<string> {
  const response = await login(server, username, GOOD_PASSWORD, from);
  return (response.body as { challenge: string }).challenge;
}
const answer = (server: Server, body: object, from: string) =>
  post(server, '/login/second-factor', body, from);
/** Signs in from an address; resolves to the status of a success, or the code of the refusal. */
const signIn = async (server: Server, username: string, code: string, from: string) =>
  codeOf(answer(server, { challenge: await challenge(server, username, from), code }, from));

describe.each(STORES)('with counters in %s', (store) => {
  const limited = limitedServers(store);

  it('takes ten wrong answers of an account over all sign-ins, and the owner gets in', async () => {
    const server = await limited();
    const { app } = await personWithApp(server, 'ada');
    expect(await signIn(server, 'ada', appCode(app.secret), HOME)).toBe(200);
    await server.withDatabase(unused);
    const wrong = wrongCode(app.secret);
    // A stranger knows the password, and changes the address and the challenge each time.
    for (let tries = 0; tries < 10; tries++) {
      const outcome = await signIn(server, 'ada', wrong, newAddress());
      expect([tries, outcome]).toEqual([tries, 'code_invalid']);
    }
    for (const code of [wrong, appCode(app.secret)]) {
      const from = newAddress();
      const proof = { challenge: await challenge(server, 'ada', from), code };
      const refused = await answer(server, proof, from);
      expect([refused.status, refused.body]).toEqual([
        429,
        { msg: 'Too many requests', code: 'too_many_requests' },
      ]);
      expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
      expect(Number(refused.headers['retry-after'])).toBeLessThanOrEqual(900);
    }
    expect(await signIn(server, 'ada', appCode(app.secret), HOME)).toBe(200);
    // A neighbour of the owner gets ten guesses more, and another account is not affected.
    const neighbours = [];
    for (let tries = 0; tries < 11; tries++) {
      neighbours.push(await signIn(server, 'ada', wrong, HOME));
    }
    expect(neighbours).toEqual([...Array<string>(10).fill('code_invalid'), 'too_many_requests']);
    const other = await personWithApp(server, 'grace');
    expect(await signIn(server, 'grace', appCode(other.app.secret), newAddress())).toBe(200);
  });

  it('counts wrong answers before it judges them, of 16 at once', async () => {
    const server = await limited();
    const { app } = await personWithApp(server, 'ada');
    const challenges = await times(4, () => challenge(server, 'ada', HOME));
    const code = wrongCode(app.secret);
    const outcomes = await times(16, (i) =>
      codeOf(answer(server, { challenge: challenges[i % 4], code }, newAddress())),
    );
    expect(outcomes.filter((one) => one === 'code_invalid')).toHaveLength(10);
    expect(outcomes.filter((one) => one === 'too_many_requests')).toHaveLength(6);
  });

  it('counts wrong recovery codes and step-ups with them, and no right answers', async () => {
    const server = await limited();
    const { app, jwt } = await personWithApp(server, 'ada');
    for (let times = 0; times < 12; times++) {
      expect(await signIn(server, 'ada', appCode(app.secret), newAddress())).toBe(200);
      await server.withDatabase(unused);
    }
    for (let tries = 0; tries < 5; tries++) {
      const from = newAddress();
      const proof = { challenge: await challenge(server, 'ada', from), recovery_code: 'wrong' };
      expect(await codeOf(answer(server, proof, from))).toBe('code_invalid');
      const stepUp = post(server, '/me/step-up', { code: wrongCode(app.secret) }, newAddress());
      expect(await codeOf(stepUp.set('authorization', bearer(jwt)))).toBe('code_invalid');
    }
    expect(await signIn(server, 'ada', appCode(app.secret), newAddress())).toBe(
      'too_many_requests',
    );
  });
});
