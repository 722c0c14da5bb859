import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Metrics } from '../src/common/metrics.js';
import { Database } from '../src/database/database.js';
import { MailService } from '../src/mail/mail.service.js';
import { MailOutbox } from '../src/mail/mail-outbox.js';
import { mailsOf, mailTo } from './support/mailbox.js';
import { until } from './support/wait.js';
import {
  change,
  CODE,
  emptied,
  enqueue,
  later,
  LINK,
  over,
  putBack,
  rows,
  servers,
  storing,
  verification,
} from './support/outbox.js';
import type { Server } from './support/server.js';
import { refusal, startSmtp } from './support/smtp.js';

const started = servers();
afterEach(() => started.stopAll());

const counted = (server: Server, name: string) =>
  server.app.get(Metrics).registry.getSingleMetricAsString(name);
const no = () => refusal(550, 'no ada@example.org here');
const refuse = (_address: unknown, _session: unknown, done: (error: Error) => void) => {
  done(no());
};

describe('mail without an SMTP server', () => {
  it('is a file for its owner alone, and the log says so once', async () => {
    const server = await started.latchkey();
    await enqueue(server, verification('ada@example.org'));
    const mail = await mailTo(server, 'ada@example.org');
    expect(mail).toMatchObject({
      from: '"Latchkey" <no-reply@localhost>',
      subject: 'Confirm your e-mail address',
      link: LINK,
      token: 'canary-token',
      code: CODE,
      text: expect.stringContaining('Both expire in 30 minutes.') as string,
      html: expect.stringContaining(`<a href="${LINK}"`) as string,
    });
    expect(mail.headers.get('auto-submitted')).toBe('auto-generated');
    await emptied(server);
    const folder = join(server.config.dataDir, 'outbox');
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    const files = await readdir(folder);
    expect(files).toEqual([expect.stringMatching(/^\d{8}T\d{9}Z-[\da-f-]{36}\.eml$/)]);
    expect((await stat(join(folder, files[0] ?? ''))).mode & 0o777).toBe(0o600);
    const log = JSON.stringify(server.log);
    expect(log.split(folder)).toHaveLength(2);
    expect(log).not.toMatch(/ada@example|canary|01234567/);
  });

  it('is sent if what caused it is committed, and only then', async () => {
    const server = await started.latchkey();
    const failing = server.app.get(Database).transaction(async (manager) => {
      await server.app.get(MailService).enqueue(manager, verification('never@example.org'));
      throw new Error('rolled back');
    });
    await expect(failing).rejects.toThrow('rolled back');
    await enqueue(server, verification('one@example.org'), verification('two@example.org'));
    await emptied(server);
    const sent = (await mailsOf(server)).map(({ to }) => to).sort();
    expect(sent).toEqual(['one@example.org', 'two@example.org']);
    expect(await counted(server, 'latchkey_mail_total')).toContain('{result="sent"} 2');
  });

  it('is in the language of the reader, and escapes what is put into it', async () => {
    const server = await started.latchkey();
    const values = { username: `<b>O'Brien</b>&\r\n\r\nhttps://evil.example/\u202Etxt` };
    for (const locale of ['de-AT,de;q=0.9,en;q=0.8', 'fr', undefined]) {
      const to = `${locale?.slice(0, 2) ?? 'none'}@example.org`;
      await enqueue(server, { to, userId: null, template: 'password-changed', values, locale });
    }
    const german = await mailTo(server, 'de@example.org');
    expect(german.subject).toBe('Ihr Passwort wurde geändert');
    expect(german.headers.get('content-language')).toBe('de');
    expect(german.html).toContain('<html lang="de">');
    expect(german.html).toContain('&lt;b&gt;O&#39;Brien&lt;/b&gt;&amp; https://evil.example/ txt');
    expect(german.html).not.toContain('<b>');
    expect(german.text).toContain(`<b>O'Brien</b>& https://evil.example/ txt`);
    for (const to of ['fr@example.org', 'none@example.org']) {
      expect((await mailTo(server, to)).subject).toBe('Your password was changed');
    }
  });

  it('is about a user, and goes with the user', async () => {
    const server = await started.latchkey({}, storing);
    const { id } = await server.register('ada');
    await enqueue(
      server,
      verification('ada@example.org', { userId: id }),
      verification('kept@example.org'),
    );
    await server.app.get(Database).write((manager) => manager.delete('users', { id }));
    expect((await rows(server)).map(({ userId }) => userId)).toEqual([null]);
  });

  it('keeps nothing readable in the database', async () => {
    const server = await started.latchkey({}, storing);
    await enqueue(server, verification('ada@example.org'));
    const stored = JSON.stringify(await rows(server));
    const sealed = (await rows(server)).map((row) => row.sealed).join('');
    expect(stored + Buffer.from(sealed, 'base64url').toString('latin1')).not.toMatch(
      /ada@example|canary|01234567|example\.com/,
    );
  });

  it('takes no other address along in a line break', async () => {
    const server = await started.latchkey();
    await enqueue(server, verification('ada@example.org\r\nBcc: evil@example.org\r\n\r\nhello'));
    await until(async () => (await rows(server))[0]?.failedAt ?? (await mailsOf(server))[0], 'it');
    for (const { headers } of await mailsOf(server)) expect(headers.has('bcc')).toBe(false);
  });
});

describe('MAIL_TEMPLATES', () => {
  /** Starts a server with these files in the folder that the setting names. */
  const withTemplates = (files: Record<string, string>) =>
    started.latchkey(async ({ dataDir }) => {
      const folder = join(dataDir, 'texts');
      for (const [name, text] of Object.entries(files)) {
        await mkdir(dirname(join(folder, name)), { recursive: true });
        await writeFile(join(folder, name), text);
      }
      return { MAIL_TEMPLATES: folder };
    });

  it("replaces mails by a project's own, file by file, and adds languages", async () => {
    const server = await withTemplates({
      'en/verify-email.txt.eta': 'Subject: Meow\n\nOur own text: <%= it.link %> <%= it.code %>\n',
      'fr/verify-email.txt.eta': 'Subject: Miaou\n\nNotre texte : <%= it.link %>\n',
      'fr/verify-email.html.eta': '<p>Notre texte : <%= it.link %></p>',
    });
    await enqueue(
      server,
      verification('own@example.org'),
      verification('fr@example.org', { locale: 'fr' }),
      verification('de@example.org', { locale: 'de' }),
    );
    const own = await mailTo(server, 'own@example.org');
    expect([own.subject, own.text]).toEqual(['Meow', `Our own text: ${LINK} ${CODE}\n`]);
    // The file that is not there is ours.
    expect(own.html).toContain('Confirm your e-mail address');
    const french = await mailTo(server, 'fr@example.org');
    expect([french.subject, french.html]).toEqual(['Miaou', `<p>Notre texte : ${LINK}</p>`]);
    const german = await mailTo(server, 'de@example.org');
    expect(german.subject).toBe('Bestätigen Sie Ihre E-Mail-Adresse');
    const values = { username: 'ada' };
    const other = { userId: null, template: 'password-changed' as const, values };
    for (const locale of ['en', 'fr']) {
      await enqueue(server, { ...other, to: `other-${locale}@example.org`, locale });
      const { subject } = await mailTo(server, `other-${locale}@example.org`);
      expect(subject).toBe('Your password was changed');
    }
  });

  it('stops the start where a file is broken, or there is no folder', async () => {
    const broken = withTemplates({ 'en/verify-email.txt.eta': 'Subject: Meow\n\n<%= it.link' });
    await expect(broken).rejects.toThrow(/verify-email\.txt\.eta cannot be read/);
    const none = started.latchkey(({ dataDir }) =>
      Promise.resolve({ MAIL_TEMPLATES: join(dataDir, 'none') }),
    );
    await expect(none).rejects.toThrow();
  });
});

describe('mail by SMTP', () => {
  it('is delivered with an id of its own, and is in no log', async () => {
    const smtp = await started.smtp();
    const server = await started.latchkey({ ...over(smtp), LOG_LEVEL: 'debug' });
    await enqueue(server, verification('ada@example.org'));
    await emptied(server);
    expect(smtp.received).toHaveLength(1);
    expect(smtp.received[0]).toMatchObject({
      sender: 'no-reply@example.com',
      recipients: ['ada@example.org'],
      from: '"Example" <no-reply@example.com>',
      to: 'ada@example.org',
      messageId: expect.stringMatching(/^<[\da-f-]{36}@example\.com>$/) as string,
      link: LINK,
    });
    expect(JSON.stringify(server.log)).not.toMatch(/ada@example|canary|01234567/);
    expect(await readdir(server.config.dataDir)).not.toContain('outbox');
  });

  it('logs in with the name and password of the URL', async () => {
    const logins: unknown[] = [];
    const smtp = await started.smtp({
      authOptional: false,
      allowInsecureAuth: true,
      onAuth: ({ username, password }, _session, done) => {
        logins.push([username, password]);
        done(null, { user: username });
      },
    });
    const server = await started.latchkey(
      over(smtp, { SMTP_URL: `smtp://me%40example.com:p%2F%3A%20w@127.0.0.1:${smtp.port}` }),
    );
    await enqueue(server, verification('ada@example.org'));
    await emptied(server);
    expect(logins).toEqual([['me@example.com', 'p/: w']]);
  });

  it('goes to an address in another script if the server offers SMTPUTF8', async () => {
    const smtp = await started.smtp();
    const server = await started.latchkey(over(smtp));
    await enqueue(server, verification('яна@bücher.example'));
    await emptied(server);
    expect(smtp.received.map(({ recipients }) => recipients)).toEqual([['яна@bücher.example']]);
  });

  it('is kept with the reason if the server does not offer SMTPUTF8, and holds up no other', async () => {
    const smtp = await started.smtp({ hideSMTPUTF8: true });
    const server = await started.latchkey(over(smtp));
    // A domain in another script has an ASCII form, which every server takes; this one shows the other.
    await enqueue(server, verification('яна@example.org'), verification('ada@bücher.example'));
    const row = await putBack(server);
    const failure = 'The SMTP server does not offer SMTPUTF8, which the address needs';
    expect(row).toMatchObject({ attempts: 1, failedAt: null, failure });
    expect(row.sealed).not.toBe('');
    await until(async () => (await rows(server)).length === 1, 'the other mail');
    expect(smtp.received.map(({ recipients }) => recipients)).toEqual([['ada@bücher.example']]);
    const lines = server.log.filter(({ level }) => level === 40).map(({ msg }) => msg);
    expect(lines).toContain(`Mail ${row.id} (verify-email) is tried again: ${failure}`);
    expect(JSON.stringify(server.log)).not.toContain('яна');
  });

  it('is tried again after a 4xx, later, as the same mail', async () => {
    const replies = [refusal(451, 'greylisted, ada@example.org')];
    const smtp = await started.smtp({
      onRcptTo: (_address, _session, done) => {
        done(replies.pop());
      },
    });
    const server = await started.latchkey(over(smtp));
    await enqueue(server, verification('ada@example.org'));
    const row = await putBack(server);
    expect(row).toMatchObject({ attempts: 1, failedAt: null, failure: 'EENVELOPE RCPT TO 451' });
    const wait = row.dueAt.getTime() - Date.now();
    expect(wait).toBeGreaterThan(0);
    expect(wait).toBeLessThan(20_000);
    expect(await counted(server, 'latchkey_mail_total')).toContain('{result="retried"} 1');
    await until(
      async () => /pending 1$/m.test(await counted(server, 'latchkey_mail_outbox_pending')),
      'the gauge',
    );
    await later(server);
    await emptied(server);
    expect(smtp.received.map(({ messageId }) => messageId)).toEqual([`<${row.id}@example.com>`]);
    expect(JSON.stringify(server.log)).not.toContain('ada@example');
  });

  it.each([
    ['recipient', { onRcptTo: refuse }],
    ['content', { hold: () => Promise.reject(no()) }],
  ])('is given up and emptied after a 5xx for its %s', async (_what, options) => {
    const smtp = await started.smtp(options);
    const server = await started.latchkey(over(smtp));
    await enqueue(server, verification('ada@example.org'), verification('eve@example.org'));
    await until(
      async () => (await rows(server)).every(({ failedAt }) => failedAt),
      'both given up',
    );
    for (const row of await rows(server)) {
      expect(row).toMatchObject({ attempts: 1, sealed: '' });
      expect(row.failure).toMatch(/^(EENVELOPE RCPT TO|EMESSAGE DATA) 550$/);
    }
    expect(await counted(server, 'latchkey_mail_total')).toContain('{result="failed"} 2');
    expect(JSON.stringify(server.log)).toContain('was given up: E');
    expect(JSON.stringify(server.log)).not.toMatch(/ada@example|canary/);
    // A week later nothing is left of it.
    await change(server, { failedAt: new Date(Date.now() - 8 * 86_400_000) });
    await server.app.get(MailOutbox).clean();
    expect(await rows(server)).toEqual([]);
  });

  it.each([
    ['refuses this sender', { onMailFrom: refuse }],
    ['wants another password', { authOptional: false }],
  ])('waits while the server %s', async (_what, options) => {
    const smtp = await started.smtp(options);
    const server = await started.latchkey(over(smtp));
    await enqueue(server, verification('ada@example.org'));
    expect(await putBack(server)).toMatchObject({ failedAt: null, attempts: 1 });
  });

  it('waits while the server is away, and is given up after a day', async () => {
    const smtp = await startSmtp();
    await smtp.stop();
    const server = await started.latchkey(over(smtp));
    await enqueue(server, verification('ada@example.org', { validFor: 7 * 86_400 }));
    const row = await putBack(server);
    expect(row).toMatchObject({
      failedAt: null,
      failure: expect.stringContaining('ECONNREFUSED') as string,
    });
    expect(row.expiresAt.getTime() - row.createdAt.getTime()).toBe(86_400_000);
    await change(server, { expiresAt: new Date() });
    await later(server);
    await until(async () => (await rows(server))[0]?.failedAt, 'giving up');
    expect((await rows(server))[0]).toMatchObject({ sealed: '', failure: row.failure });
  });

  it('is not sent when its link is no longer good', async () => {
    const smtp = await started.smtp();
    const server = await started.latchkey(over(smtp), storing);
    await enqueue(server, verification('late@example.org'));
    await change(server, { expiresAt: new Date() });
    const twin = await started.latchkey({ ...over(smtp), DATABASE_URL: server.database.url });
    await enqueue(twin, verification('now@example.org'));
    await until(async () => (await rows(server))[0]?.failedAt, 'giving up');
    await until(() => smtp.received.length > 0, 'the other');
    expect(smtp.received.map(({ to }) => to)).toEqual(['now@example.org']);
  });

  it('is sent by exactly one of three instances', async () => {
    const smtp = await started.smtp();
    const store = await started.latchkey(over(smtp), storing);
    const addresses = Array.from({ length: 60 }, (_, i) => `user${i}@example.org`);
    await enqueue(store, ...addresses.map((to) => verification(to)));
    const settings = { ...over(smtp), DATABASE_URL: store.database.url };
    await Promise.all([1, 2, 3].map(() => started.latchkey(settings)));
    await emptied(store);
    expect(smtp.received.map(({ to }) => to).sort()).toEqual(addresses.sort());
  });
});
