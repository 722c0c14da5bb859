import { mailTo } from './support/mailbox.js';
import { emptied, over, servers } from './support/outbox.js';
import { GOOD_PASSWORD, type Server } from './support/server.js';

/** A developer follows the links of mails that are only written to files. */
const started = servers();
afterEach(() => started.stopAll());

const LURE = '<b>"eve"</b>';
const EMAIL = 'ada@example.org';
const messages = (server: Server) => server.log.map(({ msg }) => String(msg));
const page = (server: Server, headers: Record<string, string> = {}) =>
  server.http.get('/dev/mail').set(headers);

it('are in the log and on a page of this machine, with their links whole', async () => {
  const server = await started.latchkey({ NODE_ENV: 'development' });
  const folder = `${server.config.dataDir}/outbox`;
  const url = `${server.config.publicUrl}/dev/mail`;
  expect(messages(server)).toContain(
    `No SMTP_URL is set: mail is written to ${folder}, and shown at ${url}`,
  );
  const empty = await page(server).expect(200);
  expect(empty.text).toContain('No mail was sent yet.');
  await server.register('ada', GOOD_PASSWORD, EMAIL);
  const { link = '', code, token } = await mailTo(server, EMAIL);
  await emptied(server);
  expect(messages(server)).toContain(
    `Mail to ${EMAIL}: Confirm your e-mail address: ${link}, code ${code}`,
  );
  const shown = await page(server).expect(200);
  expect(shown.headers).toMatchObject({
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'content-security-policy': expect.stringContaining("default-src 'none'") as string,
  });
  const [, href = ''] = /<a href="([^"]+)"/.exec(shown.text) ?? [];
  expect(href).toBe(link);
  expect(shown.text).toContain(code);
  await server.http.post('/email/verify').send({ token }).expect(204);

  // The newest mail comes first, and what a user chose is text.
  const { jwt } = await server.login('ada');
  const own = { authorization: `Bearer ${jwt}` };
  const renamed = await server.http.patch('/me').set(own).send({ username: LURE });
  expect(renamed.body).toMatchObject({ username: LURE });
  const again = (await server.login(LURE)).jwt;
  const change = server.http.patch('/me').set('authorization', `Bearer ${again}`);
  await change.send({ displayName: 'Eve' }).expect(200);
  await mailTo(server, EMAIL, 3);
  await emptied(server);
  const later = await page(server).expect(200);
  expect(later.text.match(/<h2>[^<]+/g)).toEqual([
    '<h2>Your account was changed',
    '<h2>Your account was changed',
    '<h2>Confirm your e-mail address',
  ]);
  expect(later.text).toContain('&lt;b&gt;&quot;eve&quot;&lt;/b&gt;');
  expect(later.text).not.toContain(LURE);
});

it.each([
  ['another name leads here', { host: 'evil.example' }],
  ['a proxy asks', { 'x-forwarded-for': '203.0.113.7' }],
  ['a proxy asks by RFC 7239', { forwarded: 'for=203.0.113.7' }],
])('are not shown where %s', async (_what, headers) => {
  const server = await started.latchkey({ NODE_ENV: 'development' });
  const answer = await page(server, headers);
  expect([answer.status, (answer.body as { code: string }).code]).toEqual([404, 'not_found']);
});

it.each([
  ['in production', { NODE_ENV: 'production' }, false],
  ['in tests', { NODE_ENV: 'test' }, false],
  ['with an SMTP server', { NODE_ENV: 'development' }, true],
])('are neither logged nor shown %s', async (_what, settings, bySmtp) => {
  const smtp = bySmtp ? await started.smtp() : undefined;
  const server = await started.latchkey({
    BCRYPT_COST: '',
    ...settings,
    ...(smtp && over(smtp)),
  });
  await server.register('ada', GOOD_PASSWORD, EMAIL);
  await emptied(server);
  await page(server).expect(404);
  expect(JSON.stringify(server.log)).not.toMatch(/token=|code \d|ada@example|dev\/mail'/);
});
