import { EventsService } from '../src/common/events.service.js';
import { Metrics } from '../src/common/metrics.js';
import { Config } from '../src/config/config.js';
import { Database } from '../src/database/database.js';
import { UserChangesService } from '../src/users/user-changes.service.js';
import { User } from '../src/users/user.entity.js';
import { writeRoles } from '../src/users/user-role.entity.js';
import { WebhookOutbox } from '../src/webhooks/webhook-outbox.js';
import { WebhookReceiver } from '../src/webhooks/webhook-receiver.js';
import { WebhookWorker } from '../src/webhooks/webhook-worker.js';
import { databaseKind } from './support/databases.js';
import { until } from './support/wait.js';
import { servers } from './support/outbox.js';
import {
  allTold,
  type Answer,
  changeEvents,
  type Delivery,
  type Receiver,
  startReceiver,
  storedEvents,
  telling,
  tryAgain,
} from './support/receiver.js';
import type { Server } from './support/server.js';

const DAY = 86_400_000;

const started = servers();
let receiver: Receiver | undefined;
afterEach(async () => {
  await started.stopAll();
  await receiver?.stop();
});

/** Starts a server and a receiver that answers so, and has `timeout` seconds to do it. */
async function begin(answer: Answer, timeout = 15) {
  receiver = await startReceiver(answer);
  const server = await started.latchkey(telling(receiver), (builder) =>
    builder.overrideProvider(WebhookReceiver).useFactory({
      factory: (config: Config) => Object.assign(new WebhookReceiver(config), { timeout }),
      inject: [Config],
    }),
  );
  return { server, receiver };
}

const failed = (server: Server) =>
  until(
    async () => (await storedEvents(server)).find(({ failure }) => failure !== null),
    'a failed try',
  );
const counted = (server: Server) =>
  server.app.get(Metrics).registry.getSingleMetricAsString('latchkey_webhook_total');
const setRoles = (server: Server, id: string, ...roles: string[]) =>
  server.app.get(UserChangesService).setRoles(id, roles);
const kinds = (deliveries: Delivery[]) =>
  deliveries.map(({ event: { type, data } }) =>
    type === 'user.updated' && 'roles' in data.user ? data.user.roles[0] : type,
  );
const gate = () => {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((opened) => (resolve = opened));
  return { promise, resolve };
};
const after = (deliveries: Delivery[], id: string) =>
  deliveries.filter(({ userId }) => userId === id);

describe('a receiver that fails', () => {
  it('is asked again for the same event, and told nothing else of that user before', async () => {
    let down = true;
    const { server, receiver } = await begin(({ event: { data } }) =>
      down && !('username' in data.user && data.user.username === 'eve') ? 500 : 204,
    );
    const { id: ada } = await server.register('ada');
    await setRoles(server, ada, 'one');
    await setRoles(server, ada, 'two');
    const first = await failed(server);
    expect(first).toMatchObject({ failure: 'The receiver answers 500', failedAt: null });
    expect((first.dueAt?.getTime() ?? 0) - Date.now()).toBeLessThan(7_000);
    const { id: eve } = await server.register('eve');
    await until(() => after(receiver.received, eve).length === 1, 'the other user');
    const stored = (await storedEvents(server)).filter(({ userId }) => userId === ada);
    const waiting = stored.slice(1);
    expect(waiting.map(({ attempts }) => attempts)).toEqual([0, 0]);
    down = false;
    await tryAgain(server);
    await allTold(server);
    expect(kinds(after(receiver.received, ada))).toEqual(['user.created', 'one', 'two']);
    const ids = after(receiver.tried, ada).map(({ id }) => id);
    const inOrder = ids.filter((id, at) => id !== ids[at - 1]);
    expect(inOrder).toEqual(after(receiver.received, ada).map(({ id }) => id));
    expect(ids.length).toBeGreaterThan(3);
    expect(receiver.forged).toEqual([]);
    expect(await counted(server)).toMatch(/\{result="retried"\} [1-9]/);
  });

  it('is not asked again by the same connection, which would lead to it after a failover', async () => {
    let down = true;
    const { server, receiver } = await begin(() => (down ? 503 : 204));
    const { id } = await server.register('ada');
    await failed(server);
    down = false;
    await tryAgain(server);
    await allTold(server);
    await setRoles(server, id, 'one');
    await allTold(server);
    const connections = receiver.tried.map(({ headers }) => headers.connection);
    expect(connections).toEqual(['keep-alive', 'close', 'keep-alive']);
  });

  it.each<[string, Answer, string]>([
    ['a redirect', (_, response) => void response.writeHead(302, { location: '/x' }).end(), '302'],
    ['the end of the connection', (_, response) => void response.destroy(), 'UND_ERR_SOCKET'],
    ['no answer in time', () => undefined, 'TimeoutError'],
    [
      'something that is not HTTP',
      (_, { socket }) => void socket?.end('no\r\n\r\n'),
      'other than HTTP',
    ],
  ])('may do so by %s', async (_what, answer, failure) => {
    let first = true;
    const { server, receiver } = await begin(async (delivery, response) => {
      if (!first) return 204;
      first = false;
      return answer(delivery, response);
    }, 1);
    await server.register('ada');
    expect((await failed(server)).failure).toContain(failure);
    await tryAgain(server);
    await allTold(server);
    expect(kinds(receiver.received)).toEqual(['user.created']);
    expect(receiver.tried.map(({ id }) => id)).toEqual([
      receiver.received[0]?.id,
      receiver.received[0]?.id,
    ]);
    expect(JSON.stringify(server.log)).not.toMatch(/url-canary|127\.0\.0\.1:\d+\/hooks/);
  });

  it.each([
    ['120', 115, 125],
    ['1', 3, 7],
    ['9999999', 3_590, 3_600],
  ])('is given the time it asks for by Retry-After: %s, within bounds', async (text, from, to) => {
    const { server } = await begin(
      (_, response) => void response.writeHead(503, { 'retry-after': text }).end(),
    );
    await server.register('ada');
    const { dueAt } = await failed(server);
    const wait = ((dueAt?.getTime() ?? 0) - Date.now()) / 1000;
    expect(wait).toBeGreaterThan(from - 3);
    expect(wait).toBeLessThanOrEqual(to);
  });

  it('holds up no other user by hanging', async () => {
    let hung = 0;
    const { server, receiver } = await begin(({ event: { data } }) => {
      if (!('username' in data.user) || !data.user.username.startsWith('stuck')) return 204;
      hung++;
      return undefined;
    });
    for (const name of ['stuck1', 'stuck2', 'stuck3']) await server.register(name);
    await until(() => hung === 3, 'hanging requests');
    const { id } = await server.register('ada');
    await until(() => after(receiver.received, id).length === 1, 'the other user');
    // It is taken before its row is removed.
    await until(async () => (await storedEvents(server)).length === 3, 'the delivered event gone');
    expect((await storedEvents(server)).map(({ attempts }) => attempts)).toEqual([1, 1, 1]);
  });

  it('with a 410 is not asked again, and told what comes after', async () => {
    const { server, receiver } = await begin(({ event: { type } }) =>
      type === 'user.created' ? 410 : 204,
    );
    const { id } = await server.register('ada');
    await setRoles(server, id, 'later');
    await allTold(server);
    expect(kinds(receiver.received)).toEqual(['later']);
    const [kept] = await storedEvents(server);
    expect(kept).toMatchObject({ type: 'user.created', attempts: 1, dueAt: null });
    expect(await counted(server)).toContain('{result="failed"} 1');
    expect(JSON.stringify(server.log)).toContain(
      `Webhook ${kept?.id ?? ''} (user.created) was given up: The receiver answers 410`,
    );
    await changeEvents(server, { failedAt: new Date(Date.now() - 8 * 86_400_000) });
    await server.app.get(WebhookOutbox).clean();
    expect(await storedEvents(server)).toEqual([]);
  });

  it('is given up on after a day, but not before what had to wait was tried once', async () => {
    const { server, receiver } = await begin(() => 500);
    const { id } = await server.register('ada');
    await setRoles(server, id, 'waiting');
    await until(
      async () => (await storedEvents(server))[0]?.failure && (await storedEvents(server))[1],
      'a failed try',
    );
    const [first] = await storedEvents(server);
    expect((first?.expiresAt.getTime() ?? 0) - (first?.createdAt.getTime() ?? 0)).toBe(DAY);
    await changeEvents(server, { expiresAt: new Date() });
    await tryAgain(server);
    await allTold(server);
    const rows = await storedEvents(server);
    expect(rows.map(({ failure }) => failure)).toEqual(rows.map(() => 'The receiver answers 500'));
    expect(kinds(receiver.tried).slice(-1)).toEqual(['waiting']);
    // Nothing is left of who is gone.
    await server.app.get(UserChangesService).delete({ id });
    await until(async () => (await storedEvents(server)).length === 1, 'the farewell');
  });

  it('keeps nothing of a deleted user but that it is gone, where it gives up after the deletion', async () => {
    const { server } = await begin(() => 500);
    const { id } = await server.register('Vanishing', undefined, 'vanishing@example.org');
    await setRoles(server, id, 'waiting');
    await failed(server);
    await server.app.get(UserChangesService).delete({ id });
    await changeEvents(server, { expiresAt: new Date() });
    await tryAgain(server);
    await allTold(server);
    const rows = await storedEvents(server);
    expect(rows.map(({ type, userId }) => [type, userId])).toEqual([['user.deleted', id]]);
    expect(JSON.stringify(rows)).not.toMatch(/vanishing/i);
    expect(await counted(server)).toContain('{result="failed"} 3');
  });

  it('is told nothing of who was deleted after it was taken out of the settings', async () => {
    const { server } = await begin(() => 500);
    const { id } = await server.register('vanishing');
    const { id: other } = await server.register('staying');
    await failed(server);
    const silent = await started.latchkey({ DATABASE_URL: server.config.databaseUrl });
    await silent.app.get(UserChangesService).delete({ id });
    expect((await storedEvents(server)).map(({ userId }) => userId)).toEqual([other]);
  });
});

it.each<[string, Answer]>([
  [
    '10 MB',
    (_, response) => {
      response.writeHead(200);
      for (let i = 0; i < 160; i++) response.write(Buffer.alloc(65_536));
      response.end();
      return undefined;
    },
  ],
  ['an answer that does not end', (_, response) => void response.writeHead(200).write('so')],
  [
    'an answer that breaks off',
    (_, response) => void response.writeHead(200).write('so', () => response.destroy()),
  ],
])('takes a 200 for a 200, with %s', async (_what, answer) => {
  const { server, receiver } = await begin(answer, 2);
  await server.register('ada');
  await until(async () => (await storedEvents(server)).length === 0, 'an empty outbox');
  expect(receiver.tried).toHaveLength(1);
  expect(await counted(server)).toContain('{result="sent"} 1');
});

it('goes on where an event was removed by hand', async () => {
  const { server, receiver } = await begin(({ event: { type } }) =>
    type === 'user.created' ? 500 : 204,
  );
  const { id } = await server.register('ada');
  await setRoles(server, id, 'stranded');
  const row = await failed(server);
  await server.withDatabase((db) => db.getRepository('webhook_outbox').delete({ id: row.id }));
  await server.app.get(WebhookOutbox).clean();
  server.app.get(WebhookWorker).wake();
  await until(() => kinds(receiver.received).includes('stranded'), 'the next one');
});

describe('several instances', () => {
  it('tell of each change once, in the order in which they were committed', async () => {
    const USERS = 4;
    const CHANGES = 10;
    const seen = new Map<string, number>();
    const { server: one, receiver } = await begin(({ id, event: { type } }) => {
      const times = (seen.get(id) ?? 0) + 1;
      seen.set(id, times);
      // Some fail at first.
      return type === 'user.updated' && times === 1 && id.startsWith('0') ? 500 : 204;
    });
    const settings = telling(receiver, { DATABASE_URL: one.database.url });
    const others = [await started.latchkey(settings), await started.latchkey(settings)];
    const all = [one, ...others];
    const users = await Promise.all(
      Array.from({ length: USERS }, (_, i) => one.register(`user${i}`)),
    );
    const change = (server: Server, id: string) =>
      server.app.get(Database).transaction(async (manager) => {
        await manager.increment(User, { id }, 'tokenVersion', 1);
        const user = await manager.findOneByOrFail(User, { id });
        await writeRoles(manager, { ...user, roles: [`v${user.tokenVersion}`] });
        await server.app.get(EventsService).publish(manager, { type: 'user.updated', userId: id });
      });
    for (let i = 0; i < CHANGES; i++) {
      await Promise.all(users.map(({ id }, at) => change(all[(i + at) % all.length] ?? one, id)));
    }
    for (;;) {
      await tryAgain(one);
      const left = await storedEvents(one);
      if (left.length === 0) break;
      await until(async () => (await storedEvents(one)).length < left.length, 'another delivery');
    }
    for (const { id } of users) {
      expect(kinds(after(receiver.received, id))).toEqual([
        'user.created',
        ...Array.from({ length: CHANGES }, (_, i) => `v${i + 1}`),
      ]);
    }
    expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(receiver.received.length);
    expect(receiver.forged).toEqual([]);
  });

  if (databaseKind() === 'postgres') {
    it('keep the order where a transaction is slow to commit: a later change of the user waits', async () => {
      const { server, receiver } = await begin(() => 204);
      const { id } = await server.register('ada');
      const database = server.app.get(Database);
      const { promise: underWay, resolve: begun } = gate();
      const { promise: held, resolve: commit } = gate();
      const slow = database.transaction(async (manager) => {
        await manager.update(User, { id }, { displayName: 'slow' });
        await server.app.get(EventsService).publish(manager, { type: 'user.updated', userId: id });
        begun();
        await held;
      });
      await underWay;
      const quick = setRoles(server, id, 'quick');
      const { id: other } = await server.register('eve');
      await until(() => after(receiver.received, other).length === 1, 'the other user');
      expect(kinds(after(receiver.received, id))).toEqual(['user.created']);
      commit();
      await Promise.all([slow, quick]);
      await allTold(server);
      const told = after(receiver.received, id).map(({ event: { data } }) =>
        'username' in data.user ? [data.user.displayName, ...data.user.roles] : [],
      );
      expect(told).toEqual([[null], ['slow'], ['slow', 'quick']]);
    });
  }
});
