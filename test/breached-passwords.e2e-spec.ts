import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Server, startServer } from './support/server.js';

const BREACHED = 'a sentence that has leaked';
const sha1 = (text: string) => createHash('sha1').update(text).digest('hex').toUpperCase();
const RANGE = sha1(BREACHED).slice(0, 5);
const SUFFIX = sha1(BREACHED).slice(5);
const REASON = {
  msg: 'The password is known from a data breach',
  code: 'weak_password',
};

/** What the stand-in for the range service answers, and what it was asked. */
let answer: (response: ServerResponse) => void;
let asked: IncomingMessage[] = [];
const says = (body: string, status = 200) => {
  answer = (response) => response.writeHead(status).end(body);
};
const service = createServer((request, response) => {
  asked.push(request);
  answer(response);
});

let server: Server;
beforeAll(async () => {
  await new Promise<void>((listening) => service.listen(0, '127.0.0.1', listening));
  const { port } = service.address() as AddressInfo;
  server = await startServer({ PWNED_PASSWORDS_URL: `http://127.0.0.1:${port}/range/` });
});
afterAll(async () => {
  await server.stop();
  service.closeAllConnections();
  service.close();
});
beforeEach(() => {
  asked = [];
  server.log.splice(0);
});

let users = 0;
const register = async (password: string) => {
  const body = { username: `user${users++}`, password };
  const response = await server.http.post('/register').send(body);
  return { status: response.status, body: response.body as unknown };
};
const warnings = () =>
  server.log.filter(({ level, context }) => level === 40 && context === 'BreachedPasswords');

const others = `${'0'.repeat(35)}:3\r\n${'F'.repeat(35)}:12`;

it('refuses a breached password, and tells the service five digits of its hash', async () => {
  says(`${others}\r\n${SUFFIX}:1`);
  expect(await register(BREACHED)).toEqual({ status: 400, body: REASON });
  says(`${SUFFIX.toLowerCase()}:2\n${others}`);
  expect(await register(BREACHED)).toEqual({ status: 400, body: REASON });
  expect(asked.map(({ url, method, headers }) => [method, url, headers['add-padding']])).toEqual([
    ['GET', `/range/${RANGE}`, 'true'],
    ['GET', `/range/${RANGE}`, 'true'],
  ]);
  expect(JSON.stringify(server.log)).not.toContain(SUFFIX.slice(0, 8));
});

it.each([
  ['others of the range', others],
  ['padding of the same name', `${SUFFIX}:0\r\n${others}`],
  ['nothing', ''],
])('takes a password when the service knows %s', async (_what, body) => {
  says(body);
  expect((await register(BREACHED)).status).toBe(201);
  expect(warnings()).toEqual([]);
});

it('does not ask about a password that is refused anyway', async () => {
  says(others);
  expect((await register('password1')).status).toBe(400);
  expect(asked).toEqual([]);
});

it.each<[string, (response: ServerResponse) => void]>([
  ['hangs', () => undefined],
  ['never ends', (response) => response.writeHead(200).write(others)],
  ['is broken', (response) => response.writeHead(500).end(`${SUFFIX}:1`)],
  ['talks too much', (response) => response.writeHead(200).end(`${others}\n`.repeat(10_000))],
  ['talks of something else', (response) => response.writeHead(200).end('<html>Welcome</html>')],
  ['breaks off', (response) => response.destroy()],
  ['sends elsewhere', (response) => response.writeHead(302, { location: '/range/00000' }).end()],
])('lets passwords pass when the service %s, and warns once', async (_how, badly) => {
  says(others);
  await register(BREACHED);
  answer = badly;
  for (let i = 0; i < 2; i++) expect((await register(BREACHED)).status).toBe(201);
  expect(warnings()).toHaveLength(1);
  expect(asked).toHaveLength(3);
  // And looks them up again as soon as it answers.
  says(`${SUFFIX}:1`);
  expect((await register(BREACHED)).status).toBe(400);
});
