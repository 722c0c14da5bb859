import { In } from 'typeorm';
import { AuditEvent } from '../src/audit/audit-event.entity.js';
import { FailedLogins } from '../src/audit/failed-logins.js';
import { runInContext } from '../src/common/request-context.js';
import { UserChangesService } from '../src/users/user-changes.service.js';
import { sealAll, verify } from './support/audit.js';
import { type AuditReader, auditReader } from './support/audit-reader.js';
import { bearer } from './support/http.js';
import { GOOD_PASSWORD, type Server, startServer } from './support/server.js';

const AGENT = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';

let server: Server;
let reader: AuditReader;
beforeAll(async () => {
  server = await startServer();
  reader = await auditReader(server);
});
afterAll(() => server.stop());

const failLogin = (username: string, password = 'a wrong password') =>
  server.http.post('/login').send({ username, password });

describe('a failed login', () => {
  const failures = async () =>
    (await reader.page('action=login_failed&limit=100')).events.map(
      ({ subject, actor, details }) => ({
        subject,
        actor,
        details,
      }),
    );

  it('is one row of the user, and later ones are a sum', async () => {
    const { id } = await server.register('Guessed');
    const job = server.app.get(FailedLogins, { strict: false });
    await failLogin('guessed').expect(401);
    await job.write();
    const ofUser = async () => (await failures()).filter(({ subject }) => subject === id);
    const one = { subject: id, actor: null, details: { reason: 'bad_credentials' } };
    expect(await ofUser()).toEqual([one]);
    for (let i = 0; i < 5; i++) await failLogin('guessed').expect(401);
    await job.write();
    expect(await ofUser()).toEqual([one]);
    await job.write(true);
    expect(await ofUser()).toEqual([
      { ...one, details: { reason: 'bad_credentials', count: 5 } },
      one,
    ]);
  });

  it('says so where the password was right but the user is disabled', async () => {
    const { id } = await server.register('Locked');
    await server.app.get(UserChangesService, { strict: false }).disable(id);
    await failLogin('locked', GOOD_PASSWORD).expect(403);
    expect((await reader.eventsOf(id)).at(-1)).toMatchObject({
      action: 'login_failed',
      details: { reason: 'user_disabled' },
    });
  });

  it('that was counted before its user was deleted is written without address and user agent', async () => {
    const { id } = await server.register('Leaving');
    const { jwt } = await server.login('leaving');
    const job = server.app.get(FailedLogins, { strict: false });
    const fail = () => failLogin('leaving').set('user-agent', AGENT).expect(401);
    // The second one waits for the end of a quarter of an hour.
    await fail();
    await job.write();
    await fail();
    await server.http.delete('/me').set('authorization', bearer(jwt)).expect(204);
    await job.write(true);
    const events = (await reader.eventsOf(id)).filter(({ action }) => action === 'login_failed');
    expect(events.map(({ address, userAgent }) => [address, userAgent])).toEqual([
      [null, null],
      [null, null],
    ]);
    const rows = await server.withDatabase((db) =>
      db.getRepository(AuditEvent).findBy({ subjectId: id, action: 'login_failed' }),
    );
    expect(rows.map(({ originSalt }) => originSalt)).toEqual([null, null]);
    await sealAll(server);
    expect((await verify(server)).faults).toEqual([]);
  });

  it('that is written while its user is deleted keeps neither', async () => {
    const job = server.app.get(FailedLogins, { strict: false });
    const changes = server.app.get(UserChangesService, { strict: false });
    const ids: string[] = [];
    for (let i = 0; i < 20; i++) {
      const { id } = await server.register(`Racing${i}`);
      ids.push(id);
      runInContext({ source: 'request', address: '192.0.2.77', userAgent: AGENT }, () => {
        job.note(id, 'bad_credentials');
      });
      await Promise.all([job.write(true), changes.delete({ id })]);
    }
    const rows = await server.withDatabase((db) =>
      db.getRepository(AuditEvent).findBy({ subjectId: In(ids), action: 'login_failed' }),
    );
    expect(rows.map(({ address, userAgent }) => [address, userAgent])).toEqual(
      ids.map(() => [null, null]),
    );
  });

  it('of unknown names keeps no name, since people type passwords there', async () => {
    const typed = ['my secret passphrase', 'nobody@example.org', 'nul\0nul', '😀'.repeat(20)];
    for (const name of typed) await failLogin(name, `${name} as password`).expect(401);
    await server.app.get(FailedLogins, { strict: false }).write();
    const text = await reader.stored();
    for (const name of typed) expect(text).not.toContain(JSON.stringify(name).slice(1, -1));
    expect((await failures()).filter(({ subject }) => subject === null).length).toBe(1);
  });

  it('fills no disk when it comes from everywhere', async () => {
    const job = server.app.get(FailedLogins, { strict: false });
    const rows = () => server.withDatabase((db) => db.getRepository(AuditEvent).count());
    await job.write(true);
    const before = await rows();
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 3_000; i++) {
        const address = `192.0.${i >> 8}.${i & 255}`;
        runInContext({ address }, () => {
          job.note(null, 'bad_credentials');
        });
      }
      await job.write();
    }
    expect((await rows()) - before).toBeLessThanOrEqual(1_001);
    await job.write(true);
    const counts = await server.withDatabase(async (db) => {
      const all = await db.getRepository(AuditEvent).findBy({ source: 'server' });
      return all
        .filter(({ action }) => action === 'login_failed')
        .map(({ details }) => (JSON.parse(details ?? '{}') as { count?: number }).count ?? 1);
    });
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(9_000);
  });
});

describe('secrets', () => {
  it('are in no row', async () => {
    const password = 'a canary of a password 1';
    const { id } = await server.register('Secretive', password, 'keeper@example.org');
    const first = await server.login('secretive', password);
    const refreshed = await server.http
      .post('/refresh')
      .send({ refresh_token: first.refresh_token });
    const tokens = refreshed.body as { jwt: string; refresh_token: string };
    const next = 'a canary of a password 2';
    await server.http
      .put('/me/password')
      .set('authorization', bearer(tokens.jwt))
      .send({ current_password: password, new_password: next })
      .expect(204);
    await failLogin('secretive', 'a canary of a password 3').expect(401);
    await server.http.post('/logout').set('authorization', bearer(tokens.jwt)).expect(204);
    expect((await reader.eventsOf(id)).length).toBe(5);
    const text = await reader.stored();
    const secrets = [first, tokens].flatMap(({ jwt, refresh_token: token }) => [
      jwt.split('.')[2],
      token.split('.')[2],
      token.split('.')[3],
    ]);
    for (const secret of ['a canary', 'keeper@', '$2b$', ...secrets]) {
      expect(text).not.toContain(secret);
    }
  });
});
