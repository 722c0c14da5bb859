import { once } from 'node:events';
import { appendFile, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import request from 'supertest';
import { databaseKind, type FreshDatabase } from './support/databases.js';
import { freshMachine, localhosts, type Machine } from './support/instances.js';
import { GOOD_PASSWORD } from './support/server.js';
import { runTool } from './support/server-tools.js';

const SECRET = 'a-secret-of-thirty-two-bytes-or-more!';

let machine: Machine;
let database: FreshDatabase;
let cwd: string;
beforeEach(async () => {
  machine = await freshMachine();
  ({ database, cwd } = machine);
});
afterEach(() => machine.end());

const start = (env: Record<string, string>) => machine.start(env);

const user = { username: 'ada', password: GOOD_PASSWORD };

it('starts with no settings, keeps its secret and its users over a restart', async () => {
  const onDatabase: Record<string, string> =
    databaseKind() === 'sqlite' ? {} : { DATABASE_URL: database.url };
  const first = start(onDatabase);
  const url = await first.listening;
  expect(url).toMatch(/^http:\/\/localhost:\d+$/);
  await request(url).post('/register').send(user).expect(201);
  const login = await request(url).post('/login').send(user).expect(200);
  const { jwt } = login.body as { jwt: string };
  const secretFile = join(cwd, 'data', 'jwt-secret');
  expect((await stat(secretFile)).mode & 0o777).toBe(0o600);
  const secret = (await readFile(secretFile, 'utf8')).trim();
  expect(Buffer.byteLength(secret)).toBeGreaterThanOrEqual(64);
  expect(first.output().match(/jwt-secret/g)).toHaveLength(1);
  expect(first.output()).not.toContain(secret);
  const files = await readdir(join(cwd, 'data'));
  expect(files.includes('latchkey.sqlite')).toBe(databaseKind() === 'sqlite');
  for (const file of files) expect((await stat(join(cwd, 'data', file))).mode & 0o077).toBe(0);
  first.child.kill('SIGKILL');
  await first.exit;

  const second = start(onDatabase);
  const again = await second.listening;
  await request(again).get('/protected').auth(jwt, { type: 'bearer' }).expect(200);
  await request(again).post('/login').send(user).expect(200);
});

it('prints localhost, and answers there by every address that the name has', async () => {
  const server = start({ DATABASE_URL: database.url });
  const { host, port } = new URL(await server.listening);
  expect(host).toBe(`localhost:${port}`);
  expect(server.output()).not.toContain('127.0.0.1');
  for (const address of localhosts) {
    await request(`http://${address}:${port}`).get('/health/live').expect(200);
  }
});

it('does not share its port with another program on the other address of localhost', async () => {
  const address = localhosts.includes('[::1]') ? '::1' : '127.0.0.1';
  const other = createServer().listen(0, address);
  try {
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const { exit } = start({ DATABASE_URL: database.url, PORT: String(port) });
    expect(await exit).toMatchObject({
      code: 1,
      output: expect.stringContaining('EADDRINUSE') as string,
    });
  } finally {
    other.close();
  }
});

it('reads a .env with a byte order mark to its first line, and names a line that is no setting', async () => {
  const path = join(cwd, '.env');
  await writeFile(path, `\ufeffNODE_ENV=production\nJWT_SECRET: ${SECRET}\n`);
  const refused = await start({ DATABASE_URL: database.url }).exit;
  expect([refused.code, refused.output]).toEqual([
    1,
    'Latchkey cannot start with these settings:\n' +
      '  .env, line 2: expected NAME=value, or # before a comment\n',
  ]);
  await writeFile(path, Buffer.from('\ufeffNODE_ENV=production\r\n', 'utf16le'));
  const production = await start({ DATABASE_URL: database.url }).exit;
  expect(production.code).toBe(1);
  expect(production.output).toContain(
    'BCRYPT_COST: expected a whole number from 10 to 16 in production',
  );
});

it('warns of names that resemble a setting, without their values', async () => {
  const server = start({ DATABASE_URL: database.url, JWT_SECRET: 'canary', CORS_ORIGIN: 'canary' });
  await server.listening;
  for (const [name, meant] of [
    ['JWT_SECRET', 'JWT_SECRET_KEY'],
    ['CORS_ORIGIN', 'CORS_ORIGINS'],
  ]) {
    expect(server.output()).toContain(`${name} is not a setting: did you mean ${meant}?`);
  }
  expect(server.output()).not.toContain('canary');
});

it('reads .env, and the environment over it', async () => {
  const lines = ['JWT_ISSUER=from-file', 'HOST=nonsense.invalid', `JWT_SECRET_KEY="${SECRET}"`];
  await writeFile(join(cwd, '.env'), lines.join('\n'));
  const server = start({ HOST: '127.0.0.1', DATABASE_URL: database.url });
  const url = await server.listening;
  await request(url).post('/register').send(user).expect(201);
  const { body } = (await request(url).post('/login').send(user)) as { body: { jwt: string } };
  const claims = Buffer.from(body.jwt.split('.')[1] ?? '', 'base64url').toString();
  expect(JSON.parse(claims)).toMatchObject({ iss: 'from-file' });
});

it('starts with the keys that `keys generate` prints, appended to .env', async () => {
  const env = join(cwd, '.env');
  await writeFile(env, `JWT_SECRET_KEY=${SECRET}`);
  const generate = (algorithm: string) => runTool(cwd, ['keys', 'generate', algorithm]);
  const first = await generate('HS512');
  const [, firstKid = ''] = /^\n# HS512 secret: kid=([\w-]{22})\nJWT_ALG/.exec(first.stdout) ?? [];
  const second = await generate('ES256');
  const [, secondKid = ''] = / kid=([\w-]{43})\n/.exec(second.stdout) ?? [];
  for (const [{ stdout, stderr }, kid] of [
    [first, firstKid],
    [second, secondKid],
  ] as const) {
    expect(stderr).toBe('');
    await appendFile(env, stdout);
    const server = start({ DATABASE_URL: database.url });
    const url = await server.listening;
    await request(url)
      .post('/register')
      .send({ ...user, username: `ada${kid.length}` });
    const login = await request(url)
      .post('/login')
      .send({ ...user, username: `ada${kid.length}` });
    const { jwt } = login.body as { jwt: string };
    const header = Buffer.from(jwt.split('.')[0] ?? '', 'base64url').toString();
    expect(JSON.parse(header)).toMatchObject({ kid });
    await request(url).get('/protected').auth(jwt, { type: 'bearer' }).expect(200);
    server.child.kill('SIGKILL');
  }
});

it('generates no key of an unknown algorithm, and says which there are', async () => {
  for (const args of [[], ['ES521']]) {
    expect(await runTool(cwd, ['keys', 'generate', ...args])).toEqual({
      code: 1,
      stdout: '',
      stderr:
        'Name one algorithm of HS256, HS384, HS512, RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA.\n',
    });
  }
});

it('refuses production without a secret, naming the variable and making nothing', async () => {
  const { code, output } = await start({
    NODE_ENV: 'production',
    BCRYPT_COST: '',
    DATABASE_URL: database.url,
  }).exit;
  expect(code).toBe(1);
  expect(output).toContain('JWT_SECRET_KEY');
  expect(await readdir(cwd)).toEqual([]);
});

it('lists every wrong setting in one message, without a value', async () => {
  const { code, output } = await start({
    NODE_ENV: 'production',
    JWT_SECRET_KEY: 'too-short-canary',
    PORT: 'canary-port',
    BCRYPT_COST: '9',
    JWT_EXPIRES: 'canary-soon',
    DATABASE_URL: 'mysql://canary:canary@host/db',
    CORS_ORIGINS: '*',
    TRUST_PROXY: 'true',
  }).exit;
  expect(code).toBe(1);
  for (const name of [
    'JWT_SECRET_KEY',
    'PORT',
    'BCRYPT_COST',
    'JWT_EXPIRES',
    'DATABASE_URL',
    'CORS_ORIGINS',
    'TRUST_PROXY',
  ]) {
    expect(output).toMatch(new RegExp(`^  ${name}: .+`, 'm'));
  }
  expect(output).not.toContain('canary');
});

it('says that it cannot listen where HOST is a name that is not found', async () => {
  const { code, output } = await start({ HOST: 'yes.invalid' }).exit;
  expect(code).toBe(1);
  expect(output).toMatch(
    /^Latchkey could not start: cannot listen on HOST and PORT: getaddrinfo E\w+ yes\.invalid$/m,
  );
});

it('says that it could not reach the database, and that alone', async () => {
  const away = 'postgres://ada:canary-password@127.0.0.1:1/latchkey';
  const { code, output } = await start({ DATABASE_URL: away }).exit;
  expect(code).toBe(1);
  // Of the two outputs, either may arrive first.
  expect(output.split('\n')).toContain(
    'Latchkey could not start: the database cannot be used: connect ECONNREFUSED 127.0.0.1:1',
  );
  expect(output).not.toMatch(/Retrying|canary/);
});
