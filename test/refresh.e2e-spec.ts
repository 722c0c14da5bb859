import { Session } from '../src/sessions/session.entity.js';
import { UserChangesService } from '../src/users/user-changes.service.js';
import { User } from '../src/users/user.entity.js';
import { outcomeOf } from './support/http.js';
import { type Server, startServer } from './support/server.js';
import { sessionOf } from './support/tokens.js';

let server: Server;
beforeAll(async () => {
  server = await startServer();
  await server.register('Ada');
});
afterAll(() => server.stop());

const refresh = (token: unknown, from = server) =>
  from.http.post('/refresh').send({ refresh_token: token });
const outcome = (token: unknown, from = server) => outcomeOf(refresh(token, from));
const successorOf = async (token: string) => {
  const response = await refresh(token).expect(200);
  return (response.body as { refresh_token: string }).refresh_token;
};
const change = (token: string, values: Partial<Session>) =>
  server.withDatabase((db) => db.getRepository(Session).update({ id: sessionOf(token) }, values));
const row = (token: string) =>
  server.withDatabase((db) => db.getRepository(Session).findOneByOrFail({ id: sessionOf(token) }));
/** Seconds. */
const DAY = 86_400;
const ago = (seconds: number) => new Date(Date.now() - seconds * 1000);

describe('POST /refresh', () => {
  it('answers like a login, with a token of the same session and the next generation', async () => {
    const { refresh_token: first } = await server.login('ada');
    const response = await refresh(first);
    expect(response.status).toBe(200);
    const body = response.body as { jwt: string; refresh_token: string };
    expect(body).toEqual({
      jwt: expect.any(String) as string,
      token_type: 'Bearer',
      expires_in: 900,
      refresh_token: expect.any(String) as string,
    });
    expect(body.refresh_token.split('.').slice(0, 2)).toEqual([sessionOf(first), '1']);
    await server.http.get('/protected').auth(body.jwt, { type: 'bearer' }).expect(200);
    await refresh(body.refresh_token).expect(200);
  });

  it('gives a second tab the same successor, and an older token the end', async () => {
    const { refresh_token: first } = await server.login('ada');
    const second = await successorOf(first);
    expect(await successorOf(first)).toBe(second);

    await successorOf(second);
    await change(first, { refreshedAt: ago(31) });
    expect(await outcome(first)).toEqual([401, 'refresh_token_reused']);
    expect(await outcome(second)).toEqual([401, 'session_ended']);
    expect(await row(first)).toMatchObject({
      endReason: 'refresh_token_reused',
      endedAt: expect.any(Date) as Date,
    });

    const { refresh_token: other } = await server.login('ada');
    const third = await successorOf(await successorOf(other));
    expect(await outcome(other)).toEqual([401, 'refresh_token_reused']);
    expect(await outcome(third)).toEqual([401, 'session_ended']);
  });

  describe('of which the answer was lost', () => {
    const late = (token: string, seconds = 3600) => change(token, { refreshedAt: ago(seconds) });
    const resultsOf = async (token: string) => {
      const answers = await Promise.all(Array.from({ length: 16 }, () => refresh(token)));
      return answers.map(({ body }) => {
        const { refresh_token: successor, code } = body as Record<string, string | undefined>;
        return successor ?? code;
      });
    };

    it('gives the same successor again, of many requests at once to each', async () => {
      const { refresh_token: first } = await server.login('ada');
      const second = await successorOf(first);
      for (const seconds of [31, 3600, DAY - 60]) {
        await late(first, seconds);
        expect(await resultsOf(first)).toEqual(Array.from({ length: 16 }, () => second));
      }
      const response = await refresh(first).expect(200);
      const { jwt } = response.body as { jwt: string };
      await server.get('/protected', `Bearer ${jwt}`).expect(200);
      const third = await successorOf(second);
      expect(await outcome(first)).toEqual([401, 'refresh_token_reused']);
      expect(await outcome(third)).toEqual([401, 'session_ended']);
      // The access token came late, but it ends with its session.
      await server.get('/protected', `Bearer ${jwt}`).expect(401);
    });

    it('does so for a day only, or as long as the setting says', async () => {
      const { refresh_token: first } = await server.login('ada');
      await successorOf(first);
      await late(first, DAY + 60);
      expect(await outcome(first)).toEqual([401, 'refresh_token_reused']);
      for (const [setting, seconds, expected] of [
        ['0', 31, [401, 'refresh_token_reused']],
        ['60s', 59, [200, undefined]],
        ['60s', 61, [401, 'refresh_token_reused']],
      ] as const) {
        const other = await startServer({ REFRESH_RECOVERY_WINDOW: setting });
        try {
          await other.register('ada');
          const { refresh_token: lost } = await other.login('ada');
          await refresh(lost, other).expect(200);
          await other.withDatabase(({ manager }) =>
            manager.update(Session, { id: sessionOf(lost) }, { refreshedAt: ago(seconds) }),
          );
          expect(await outcome(lost, other)).toEqual(expected);
        } finally {
          await other.stop();
        }
      }
    });

    it('ends the session when the second of two holders uses a token that was given out again', async () => {
      // A thief has copied `first`. Its owner lost the answer, or got it: the server cannot tell.
      const { refresh_token: first } = await server.login('ada');
      const second = await successorOf(first);
      await late(first);
      expect(await successorOf(first)).toBe(second);
      // Both hold `second` now.
      const third = await successorOf(second);
      await late(second);
      const results = await resultsOf(second);
      expect(results).toContain('refresh_token_reused');
      expect(results.join()).toMatch(/^((refresh_token_reused|session_ended)(,|$)){16}$/);
      expect(await outcome(third)).toEqual([401, 'session_ended']);
      expect(await row(first)).toMatchObject({ endReason: 'refresh_token_reused' });
    });

    it('loses an answer more than once in the life of a session', async () => {
      let { refresh_token: token } = await server.login('ada');
      for (let i = 0; i < 3; i++) {
        const lost = await successorOf(token);
        await late(token);
        expect(await successorOf(token)).toBe(lost);
        token = await successorOf(lost);
      }
      await server.http.post('/refresh').send({ refresh_token: token }).expect(200);
    });

    it('brings back no session that has ended or expired', async () => {
      const { refresh_token: first, jwt } = await server.login('ada');
      await successorOf(first);
      await change(first, { refreshedAt: ago(3600), expiresAt: ago(1) });
      expect(await outcome(first)).toEqual([401, 'refresh_token_expired']);
      const { refresh_token: other } = await server.login('ada');
      await successorOf(other);
      await late(other);
      await server.http.post('/logout?scope=global').auth(jwt, { type: 'bearer' }).expect(204);
      expect(await outcome(other)).toEqual([401, 'session_ended']);
    });
  });

  it('warns in the log of a token used again, without the token, and counts it', async () => {
    const loud = await startServer({ LOG_LEVEL: 'warn' });
    try {
      await loud.register('ada');
      const { refresh_token: first } = await loud.login('ada');
      for (const code of [200, 200, 200]) await refresh(first, loud).expect(code);
      await loud.withDatabase((db) =>
        db.getRepository(Session).update({ id: sessionOf(first) }, { refreshedAt: ago(2 * DAY) }),
      );
      await refresh(first, loud).expect(401);
      const warnings = loud.log.filter(({ level }) => level === 40);
      expect(warnings).toHaveLength(1);
      expect(warnings[0]?.msg).toContain(sessionOf(first));
      expect(JSON.stringify(loud.log)).not.toContain(first);
      const { text } = await loud.http.get('/metrics');
      expect(text).toContain('latchkey_refresh_reuse_total{result="successor"} 2\n');
      expect(text).toContain('latchkey_refresh_reuse_total{result="recovered"} 0\n');
      expect(text).toContain('latchkey_refresh_reuse_total{result="session_ended"} 1\n');
    } finally {
      await loud.stop();
    }
  });

  it('refuses what was not issued here and touches nothing', async () => {
    const { refresh_token: token } = await server.login('ada');
    const { refresh_token: other, jwt } = await server.login('ada');
    const before = await row(token);
    const [id = '', generation = '', salt = '', mac = ''] = token.split('.');
    const [, , otherSalt = '', otherMac = ''] = other.split('.');
    const flipped = (mac.startsWith('A') ? 'B' : 'A') + mac.slice(1);
    for (const forged of [
      [id, generation, salt, flipped],
      [id, '1', salt, mac],
      [id, generation, otherSalt, mac],
      [id, generation, otherSalt, otherMac],
      [sessionOf(other), generation, salt, mac],
      [id, generation, salt],
      [id, '00', salt, mac],
      [id, '-1', salt, mac],
      [id, generation, salt, `${mac}=`],
      [id, generation, salt, mac.slice(0, 10)],
      [jwt],
      ["' OR 1=1 --"],
      ['\0'],
      ['x'.repeat(60_000)],
    ]) {
      expect(await outcome(forged.join('.'))).toEqual([401, 'refresh_token_invalid']);
    }
    expect(await row(token)).toEqual(before);
    // Nor does a refresh token open a guarded route.
    await server.http.get('/protected').auth(token, { type: 'bearer' }).expect(401);
  });

  it('asks for the token', async () => {
    for (const token of [undefined, null, '']) {
      expect((await refresh(token)).body).toEqual({
        msg: 'Missing refresh_token parameter',
        code: 'missing_parameter',
      });
    }
    expect(await outcome({ $ne: 1 })).toEqual([400, 'invalid_parameter']);
  });

  it('ends with the session, by its idle and its absolute limit', async () => {
    const { refresh_token: token } = await server.login('ada');
    await change(token, { createdAt: ago(89.5 * DAY) });
    const next = await successorOf(token);
    const { expiresAt } = await row(token);
    expect(Math.abs(expiresAt.getTime() - (Date.now() + DAY * 500))).toBeLessThan(60_000);
    await change(token, { expiresAt: ago(1) });
    expect(await outcome(next)).toEqual([401, 'refresh_token_expired']);
  });

  it('carries new roles and stops for a disabled or deleted user', async () => {
    const { id } = await server.register('Grace');
    const { refresh_token: first } = await server.login('grace');
    const set = (values: Partial<User>) =>
      server.withDatabase((db) => db.getRepository(User).update({ id }, values));
    await server.app.get(UserChangesService, { strict: false }).setRoles(id, ['keeper']);
    const response = await refresh(first).expect(200);
    const { jwt, refresh_token: second } = response.body as { jwt: string; refresh_token: string };
    await server.http.post('/test-cats/feed').auth(jwt, { type: 'bearer' }).expect(201);
    await set({ disabledAt: new Date() });
    expect(await outcome(second)).toEqual([403, 'user_disabled']);
    await server.withDatabase((db) => db.getRepository(User).delete({ id }));
    expect(await outcome(second)).toEqual([401, 'refresh_token_invalid']);
  });

  it('keeps nothing in the database that a token could be made of', async () => {
    const { refresh_token: token } = await server.login('ada');
    const stored = JSON.stringify(await row(token));
    expect(stored).not.toContain(token.split('.')[3]);
  });
});
