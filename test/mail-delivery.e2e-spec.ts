import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { MailWorker } from '../src/mail/mail-worker.js';
import { until } from './support/wait.js';
import {
  change,
  emptied,
  enqueue,
  over,
  putBack,
  rows,
  servers,
  storing,
  verification,
} from './support/outbox.js';
import { kill } from './support/server-process.js';
import { SECRET, type Server } from './support/server.js';
import { CERTIFICATE } from './support/smtp.js';

/** For a test with other processes, which take long to start on a busy machine, in milliseconds. */
const TEST_TIMEOUT = 120_000;

const started = servers();
const children: ChildProcess[] = [];
afterEach(async () => {
  await Promise.all(children.splice(0).map((child) => kill(child)));
  await started.stopAll();
});

/** Another instance on the database of `server`: the built program, in a process of its own. */
function instance(server: Server, settings: Record<string, string>) {
  const child = spawn(process.execPath, [resolve('dist/src/main.js')], {
    cwd: server.config.dataDir,
    stdio: 'ignore',
    env: {
      PATH: process.env.PATH,
      PORT: '0',
      BCRYPT_COST: '4',
      JWT_SECRET_KEY: SECRET,
      DATABASE_URL: server.database.url,
      ...settings,
    },
  });
  children.push(child);
  return child;
}

describe('several instances', () => {
  it(
    'send each mail once, from processes of their own',
    async () => {
      const smtp = await started.smtp();
      const store = await started.latchkey({}, storing);
      const addresses = Array.from({ length: 60 }, (_, i) => `user${i}@example.org`);
      await enqueue(store, ...addresses.map((to) => verification(to)));
      for (let i = 0; i < 3; i++) instance(store, over(smtp));
      await emptied(store);
      expect(smtp.received.map(({ to }) => to).sort()).toEqual(addresses.sort());
    },
    TEST_TIMEOUT,
  );

  it(
    'take a mail over from one that was killed, when its time is up, as the same mail',
    async () => {
      const held: string[] = [];
      const smtp = await started.smtp({
        hold: async ({ messageId }) => {
          held.push(messageId);
          // The first never hears that its mail was taken.
          if (held.length === 1) await new Promise(() => undefined);
        },
      });
      const store = await started.latchkey({}, storing);
      await enqueue(store, verification('ada@example.org'));
      const first = instance(store, over(smtp));
      await until(() => held.length === 1, 'the first try');
      await kill(first);

      const second = await started.latchkey({ ...over(smtp), DATABASE_URL: store.database.url });
      await enqueue(store, verification('eve@example.org'));
      second.app.get(MailWorker).wake();
      await until(() => smtp.received.some(({ to }) => to === 'eve@example.org'), 'another mail');
      const [row] = await rows(store);
      expect(row?.attempts).toBe(1);
      expect(row?.dueAt.getTime()).toBeGreaterThan(Date.now());
      expect(held).toHaveLength(2);

      await change(store, { dueAt: new Date() });
      second.app.get(MailWorker).wake();
      await emptied(store);
      expect(held).toHaveLength(3);
      expect(held[2]).toBe(held[0]);
      expect(held[0]).toBe(`<${row?.id ?? ''}@example.com>`);
    },
    TEST_TIMEOUT,
  );

  it(
    'stop within seconds while a server hangs, and leave the mail to others',
    async () => {
      let reached = false;
      const smtp = await started.smtp({
        hold: async () => {
          reached = true;
          await new Promise(() => undefined);
        },
      });
      const store = await started.latchkey({}, storing);
      await enqueue(store, verification('ada@example.org'));
      const child = instance(store, over(smtp));
      await until(() => reached, 'a try');
      child.kill('SIGTERM');
      expect(await once(child, 'exit')).toEqual([0, null]);
      const [row] = await rows(store);
      expect(row).toMatchObject({ attempts: 1, failedAt: null });
      expect(row?.dueAt.getTime()).toBeLessThanOrEqual(Date.now());
    },
    TEST_TIMEOUT,
  );
});

describe('TLS', () => {
  const trusting = { NODE_EXTRA_CA_CERTS: resolve(CERTIFICATE) };

  it.each([
    ['from the first byte, by smtps://', { secure: true }, 'smtps://localhost'],
    ['by STARTTLS, which is asked for', { disabledCommands: [] }, 'smtp://0.0.0.0'],
  ])(
    'is used %s, and the certificate checked',
    async (_how, options, url) => {
      const smtp = await started.smtp(options);
      const settings = over(smtp, { SMTP_URL: `${url}:${smtp.port}` });
      const doubting = await started.latchkey(settings);
      await enqueue(doubting, verification('ada@example.org'));
      expect((await putBack(doubting)).failure).toContain('self-signed certificate');
      expect(smtp.received).toEqual([]);

      const store = await started.latchkey({}, storing);
      await enqueue(store, verification('ada@example.org'));
      instance(store, { ...settings, ...trusting });
      await emptied(store);
      expect(smtp.received.map(({ secure }) => secure)).toEqual([true]);
    },
    TEST_TIMEOUT,
  );

  it(
    'is needed for any but a loopback address, unless it is turned off',
    async () => {
      const smtp = await started.smtp();
      const settings = over(smtp, { SMTP_URL: `smtp://0.0.0.0:${smtp.port}` });
      const server = await started.latchkey(settings);
      await enqueue(server, verification('ada@example.org'));
      expect((await putBack(server)).failure).toContain('ETLS');
      expect(smtp.received).toEqual([]);

      const off = await started.latchkey({ ...settings, SMTP_URL: `${settings.SMTP_URL}?tls=off` });
      await enqueue(off, verification('eve@example.org'));
      await emptied(off);
      expect(smtp.received.map(({ to, secure }) => [to, secure])).toEqual([
        ['eve@example.org', false],
      ]);
    },
    TEST_TIMEOUT,
  );
});
