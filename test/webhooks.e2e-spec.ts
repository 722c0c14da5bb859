import { createHmac } from 'node:crypto';
import { DataSource } from 'typeorm';
import { Webhook } from 'standardwebhooks';
import { EventsService } from '../src/common/events.service.js';
import { Database } from '../src/database/database.js';
import { UserChangesService } from '../src/users/user-changes.service.js';
import { User } from '../src/users/user.entity.js';
import { UsersService } from '../src/users/users.service.js';
import { bearer } from './support/http.js';
import { servers } from './support/outbox.js';
import {
  allTold,
  type Receiver,
  startReceiver,
  storedEvents,
  telling,
  WEBHOOK_SECRET,
} from './support/receiver.js';
import { GOOD_PASSWORD, type Server } from './support/server.js';
import { claimsOf } from './support/tokens.js';

const NEW_PASSWORD = 'another correct horse battery staple';
const ISO = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string;

const started = servers();
let receiver: Receiver;
beforeEach(async () => {
  receiver = await startReceiver();
});
afterEach(async () => {
  await started.stopAll();
  await receiver.stop();
});

const told = () => receiver.received.map(({ event }) => event);
const ended = (id: string, jwt: string, reason: string) => ({
  type: 'session.ended',
  timestamp: ISO,
  data: { user: { id }, session: { id: claimsOf(jwt).sid as string }, count: 1, reason },
});

/** Has every change made that is told of; resolves to what was secret about it. */
async function live(server: Server) {
  const changes = server.app.get(UserChangesService);
  const { id } = await server.register('Ada', GOOD_PASSWORD, 'ada@example.org');
  const [first, second] = [await server.login('Ada'), await server.login('Ada')];
  await server.http.post('/logout').set('authorization', bearer(first.jwt)).expect(204);
  const third = await server.login('Ada');
  await server.http
    .put('/me/password')
    .set('authorization', bearer(third.jwt))
    .send({ current_password: GOOD_PASSWORD, new_password: NEW_PASSWORD })
    .expect(204);
  const named = { displayName: 'Ada L.' };
  const { jwt } = third;
  // The second time, there is nothing to tell.
  for (let times = 0; times < 2; times++) {
    await server.http.patch('/me').set('authorization', bearer(jwt)).send(named).expect(200);
  }
  const user = await server.app.get(UsersService).findById(id);
  for (let times = 0; times < 2; times++) {
    expect(await changes.setRoles(id, ['staff'])).toBe(true);
  }
  expect(await changes.disable(id)).toBe(true);
  expect(await changes.enable(id)).toBe(true);
  expect(await changes.delete({ id })).toBe(true);
  expect(await changes.delete({ id })).toBe(false);
  expect(await changes.setRoles(id, [])).toBe(false);
  const secrets = [first, second, third].flatMap(({ jwt, refresh_token }) => [jwt, refresh_token]);
  return { id, first, second, third, secrets: [...secrets, user?.passwordHash ?? ''] };
}

describe('webhooks', () => {
  it('tell of each change of a user, in order', async () => {
    const server = await started.latchkey(telling(receiver));
    const { id, first, second, third } = await live(server);
    await allTold(server);
    const user = {
      id,
      username: 'Ada',
      email: 'ada@example.org',
      emailVerified: false,
      displayName: null,
      roles: [] as string[],
      disabled: false,
      disabledUntil: null,
      createdAt: ISO,
      updatedAt: ISO,
    };
    const about = (type: string, data: object) => ({ type, timestamp: ISO, data });
    const named = { ...user, displayName: 'Ada L.' };
    const staff = { ...named, roles: ['staff'] };
    expect(told()).toEqual([
      about('user.created', { user }),
      ended(id, first.jwt, 'logout'),
      about('password.changed', { user: { id } }),
      ended(id, second.jwt, 'password_changed'),
      about('user.updated', { user: named }),
      about('user.updated', { user: staff }),
      about('user.updated', { user: { ...staff, disabled: true } }),
      ended(id, third.jwt, 'user_disabled'),
      about('user.updated', { user: staff }),
      about('user.deleted', { user: { id } }),
    ]);
    expect(await storedEvents(server)).toEqual([]);
  });

  it('are signed as Standard Webhooks has it, each with an id of its own', async () => {
    const server = await started.latchkey(telling(receiver));
    await server.register('ada');
    await server.register('eve');
    await allTold(server);
    expect(receiver.forged).toEqual([]);
    expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(2);
    const key = Buffer.from(WEBHOOK_SECRET.slice('whsec_'.length), 'base64');
    for (const { id, headers, body } of receiver.received) {
      const timestamp = String(headers['webhook-timestamp']);
      expect(Math.abs(Number(timestamp) - Date.now() / 1000)).toBeLessThan(60);
      const mac = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
      expect(headers).toMatchObject({
        'webhook-id': expect.stringMatching(/^[\da-f-]{36}$/) as string,
        'webhook-signature': `v1,${mac}`,
        'content-type': 'application/json',
        'user-agent': 'latchkey',
      });
    }
  });

  it('are signed by the old and the new secret while it changes', async () => {
    const other = `whsec_${Buffer.from('another webhook secret, 32 bytes').toString('base64')}`;
    const server = await started.latchkey(
      telling(receiver, { WEBHOOK_SECRET: `${other}, ${WEBHOOK_SECRET}` }),
    );
    await server.register('ada');
    await allTold(server);
    expect(receiver.forged).toEqual([]);
    const [delivery] = receiver.received;
    const headers = delivery?.headers as Record<string, string>;
    expect(new Webhook(other).verify(delivery?.body ?? '', headers)).toEqual(delivery?.event);
  });

  it('carry no secret, and leave none in the log', async () => {
    const server = await started.latchkey({ ...telling(receiver), LOG_LEVEL: 'debug' });
    const { secrets } = await live(server);
    await allTold(server);
    const sent = JSON.stringify(receiver.received);
    const written = JSON.stringify(server.log);
    for (const secret of [...secrets, GOOD_PASSWORD, NEW_PASSWORD, '$2b$', WEBHOOK_SECRET]) {
      expect(secret).not.toBe('');
      expect(sent).not.toContain(secret);
      expect(written).not.toContain(secret);
    }
    expect(written).not.toMatch(/url-canary|ada@example/);
  });

  it('are sent if what they tell of is committed, and only then', async () => {
    const server = await started.latchkey(telling(receiver));
    const { id } = await server.register('ada');
    const events = server.app.get(EventsService);
    const failing = server.app.get(Database).transaction(async (manager) => {
      await manager.update(User, { id }, { displayName: 'Never' });
      await events.publish(manager, { type: 'user.updated', userId: id });
      throw new Error('rolled back');
    });
    await expect(failing).rejects.toThrow('rolled back');
    await server.http
      .post('/register')
      .send({ username: 'Ada', password: GOOD_PASSWORD })
      .expect(409);
    await server.app.get(UserChangesService).setRoles(id, ['committed']);
    await allTold(server);
    expect(told()).toMatchObject([
      { type: 'user.created' },
      { type: 'user.updated', data: { user: { roles: ['committed'] } } },
    ]);
  });

  it('name a hundred of the sessions that end at once, and count the others', async () => {
    const server = await started.latchkey(telling(receiver));
    const { id } = await server.register('ada');
    const { jwt } = await server.login('ada');
    await server.withDatabase(async (db) => {
      const [row] = await db.getRepository('sessions').find();
      const more = Array.from({ length: 120 }, (_, i) => ({ ...row, id: `session-${i}` }));
      await db.createQueryBuilder().insert().into('sessions').values(more).execute();
    });
    await server.http.post('/logout?scope=others').set('authorization', bearer(jwt)).expect(204);
    await allTold(server);
    const [created, ...sessions] = told();
    expect(created?.type).toBe('user.created');
    expect(sessions).toHaveLength(101);
    const named = sessions.flatMap(({ data }) => ('session' in data && data.session?.id) || []);
    expect(new Set(named).size).toBe(100);
    expect(named).not.toContain(claimsOf(jwt).sid);
    expect(sessions.at(-1)).toEqual({
      type: 'session.ended',
      timestamp: ISO,
      data: { user: { id }, session: null, count: 20, reason: 'logout' },
    });
  });

  it('are not even stored where no address is set', async () => {
    const server = await started.latchkey();
    await live(server);
    const rows = await server.app.get(DataSource).query<object[]>('SELECT id FROM webhook_outbox');
    expect(rows).toEqual([]);
  });
});
