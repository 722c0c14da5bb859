import { WebhookWorker } from '../src/webhooks/webhook-worker.js';
import { until } from './support/wait.js';
import { servers } from './support/outbox.js';
import {
  allTold,
  changeEvents,
  type Receiver,
  startReceiver,
  storedEvents,
  telling,
} from './support/receiver.js';
import { SECRET, type Server, startServer } from './support/server.js';
import { processes } from './support/server-process.js';

/** For a test with other processes, which take long to start on a busy machine, in milliseconds. */
const TEST_TIMEOUT = 120_000;

const started = servers();
let instances: ReturnType<typeof processes>;
let receiver: Receiver;
beforeEach(() => {
  instances = processes();
});
afterEach(async () => {
  await instances.killAll();
  await started.stopAll();
  await receiver.stop();
});

/** A server that stores events and sends none. */
const storing: NonNullable<Parameters<typeof startServer>[1]> = (builder) =>
  builder.overrideProvider(WebhookWorker).useValue({ wake: () => undefined });

/** Another instance on the database of `server`: the built program, in a process of its own. */
const instance = (server: Server) =>
  instances.start(server.config.dataDir, {
    JWT_SECRET_KEY: SECRET,
    DATABASE_URL: server.database.url,
    ...telling(receiver),
  });

it(
  'are taken over from an instance that was killed, when its time is up, as the same event',
  async () => {
    let hang = true;
    receiver = await startReceiver(() => (hang ? undefined : 204));
    const store = await started.latchkey(telling(receiver), storing);
    await store.register('ada');
    const first = instance(store);
    await until(() => receiver.tried.length === 1, 'the first try');
    first.child.kill('SIGKILL');
    await first.exit;
    hang = false;

    const second = await started.latchkey(telling(receiver, { DATABASE_URL: store.database.url }));
    const { id: eve } = await store.register('eve');
    second.app.get(WebhookWorker).wake();
    await until(() => receiver.received.length === 1, 'another event');
    expect(receiver.received[0]?.userId).toBe(eve);
    const [row] = await storedEvents(store);
    expect(row).toMatchObject({ attempts: 1, failedAt: null });
    expect(row?.dueAt?.getTime()).toBeGreaterThan(Date.now());

    await changeEvents(store, { dueAt: new Date() });
    second.app.get(WebhookWorker).wake();
    await allTold(store);
    expect(receiver.received.map(({ id }) => id)).toContain(row?.id);
    expect(receiver.tried.map(({ id }) => id).filter((id) => id === row?.id)).toHaveLength(2);
    expect(receiver.forged).toEqual([]);
  },
  TEST_TIMEOUT,
);

it(
  'do not keep an instance from stopping within seconds, and are left to others',
  async () => {
    receiver = await startReceiver(() => undefined);
    const store = await started.latchkey(telling(receiver), storing);
    await store.register('ada');
    const { child, exit } = instance(store);
    await until(() => receiver.tried.length === 1, 'a try');
    const asked = Date.now();
    child.kill('SIGTERM');
    const { code, output } = await exit;
    expect(code).toBe(0);
    // The limit of a try is 15 s.
    expect(Date.now() - asked).toBeLessThan(12_000);
    expect(output).not.toMatch(/url-canary|whsec_/);
    const [row] = await storedEvents(store);
    expect(row).toMatchObject({ attempts: 1, failedAt: null });
    expect(row?.dueAt?.getTime()).toBeLessThanOrEqual(Date.now());
  },
  TEST_TIMEOUT,
);

it(
  'are sent once, by whichever of three processes',
  async () => {
    receiver = await startReceiver();
    const store = await started.latchkey(telling(receiver), storing);
    const users = await Promise.all(
      Array.from({ length: 30 }, (_, i) => store.register(`user${i}`)),
    );
    for (let i = 0; i < 3; i++) instance(store);
    await allTold(store);
    expect(receiver.tried.map(({ userId }) => userId).sort()).toEqual(
      users.map(({ id }) => id).sort(),
    );
  },
  TEST_TIMEOUT,
);
