import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SMTPServerOptions } from 'smtp-server';
import type { DataSource } from 'typeorm';
import { connect, databaseKind, type FreshDatabase, freshDatabase } from './support/databases.js';
import { runInHost } from './support/server-cli.js';
import { startSmtp } from './support/smtp.js';
import { runTool } from './support/server-tools.js';

const SECRET = randomBytes(48).toString('base64');

let cwd: string;
let database: FreshDatabase;
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'latchkey-doctor-'));
  database = await freshDatabase();
});
afterEach(async () => {
  await database.drop();
  await rm(cwd, { recursive: true });
});

interface Finding {
  check: string;
  status: string;
  message: string;
}

/** Asks the doctor; resolves to the exit code and what is not in order. */
async function findings(settings: Record<string, string>) {
  const env = { DATABASE_URL: database.url, ...settings };
  const { code, stdout, stderr } = await runInHost(cwd, ['doctor', '--json'], env);
  const all = JSON.parse(stdout) as Finding[];
  expect(stdout + stderr).not.toContain('canary');
  expect(stdout + stderr).not.toContain(SECRET);
  const of = (status: string) =>
    // The time that a hash takes is this machine's, and has a test of its own.
    all.filter((one) => one.status === status && one.check !== 'hashing');
  return { code, all, failures: of('fail').map(({ check, message }) => `${check}: ${message}`) };
}

/** The code is that of the failures, whatever this machine's speed adds. */
const expectClean = ({ all, failures }: Awaited<ReturnType<typeof findings>>) => {
  expect(failures).toEqual([]);
  expect(all.map(({ check }) => check)).toEqual(
    databaseKind() === 'postgres'
      ? [
          'secret',
          'proxies',
          'mode',
          'origins',
          'files',
          'database',
          'clock',
          'encryption',
          'hashing',
        ]
      : ['secret', 'proxies', 'mode', 'origins', 'files', 'database', 'hashing'],
  );
};

const onDatabase = async (work: (db: DataSource) => Promise<unknown>) => {
  const db = await connect(database.url);
  await work(db);
  await db.destroy();
};

/** Takes every name and password. */
const signsIn: SMTPServerOptions['onAuth'] = ({ username }, _session, done) => {
  done(null, { user: username });
};

const production = { NODE_ENV: 'production', TRUST_PROXY: '1', JWT_SECRET_KEY: SECRET };

it('finds an audit whose key is damaged or of another secret, or whose marks are changed', async () => {
  const env = { DATABASE_URL: database.url, JWT_SECRET_KEY: SECRET, BCRYPT_COST: '4' };
  const ofAudit = async (settings: Record<string, string>) =>
    (await findings(settings)).failures.filter((failure) => failure.startsWith('audit'));
  const made = await runInHost(cwd, ['users', 'create', 'ada', '--no-password'], env);
  expect(made.code).toBe(0);
  expect(await ofAudit(production)).toEqual([]);
  const other = { ...production, JWT_SECRET_KEY: randomBytes(48).toString('base64') };
  expect(await ofAudit(other)).toEqual(['audit: no secret here decrypts its key']);
  await onDatabase((db) => db.query("UPDATE audit_marks SET seq = 7 WHERE name = 'head'"));
  expect(await ofAudit(production)).toEqual(['audit: its mark head was changed']);
  await onDatabase((db) => db.query("UPDATE audit_keys SET sealed = 'AAAA'"));
  expect(await ofAudit(production)).toEqual([
    expect.stringMatching(/^audit: its key \S+ was damaged$/),
  ]);
});

it('finds nothing before the first start, and makes nothing', async () => {
  expectClean(await findings(databaseKind() === 'sqlite' ? { DATABASE_URL: '' } : { PORT: '0' }));
  expect(await readdir(cwd)).toEqual([]);
});

it('finds nothing in a production that is in order', async () => {
  await onDatabase((db) => db.runMigrations());
  if (databaseKind() === 'sqlite') await chmod(database.url.slice('sqlite:'.length), 0o600);
  const smtp = await startSmtp({ allowInsecureAuth: true, onAuth: signsIn });
  try {
    const found = await findings({
      ...production,
      SMTP_URL: `smtp://me:canary-password@127.0.0.1:${smtp.port}`,
      MAIL_FROM: 'no-reply@example.com',
      PUBLIC_URL: 'https://accounts.example.com',
    });
    expect(found.all.find(({ check }) => check === 'mail')).toMatchObject({ status: 'ok' });
    expectClean({ ...found, all: found.all.filter(({ check }) => check !== 'mail') });
  } finally {
    await smtp.stop();
  }
});

it('warns of a production that sends no mail', async () => {
  const { all } = await findings(production);
  expect(all.filter(({ check }) => check === 'mail')).toMatchObject([
    {
      status: 'warn',
      message: 'SMTP_URL is not set, so mail is written to files and reaches no user',
      advice: 'set SMTP_URL, MAIL_FROM and PUBLIC_URL',
    },
  ]);
  const byAddress = await findings({ ...production, IDENTIFIER: 'email' });
  expect(byAddress.failures).toEqual([
    'mail: SMTP_URL is not set, so mail is written to files and reaches no user: with IDENTIFIER=email no ' +
      'registration can be finished',
  ]);
});

it('writes a line a finding, and exits 1 for one that is a failure', async () => {
  const { code, stdout } = await runTool(cwd, ['doctor'], {
    DATABASE_URL: database.url,
    ...production,
    CORS_ORIGINS: 'http://app.example',
  });
  expect(code).toBe(1);
  const lines = stdout.trim().split('\n');
  expect(lines).toContainEqual(expect.stringMatching(/^FAIL {2}origins {5}pages without TLS/));
  expect(lines).toContainEqual(expect.stringMatching(/^ok {4}proxies {5}/));
  for (const line of lines) expect(line).toMatch(/^(ok {2}|warn|FAIL) {2}[a-z]+ +\S/);
});

it('reports settings that are wrong, without their values', async () => {
  const { code, failures } = await findings({
    JWT_SECRET_KEY: 'short-canary',
    PORT: 'canary',
    DATABASE_URL: 'mysql://canary',
  });
  expect(code).toBe(1);
  expect(failures.map((line) => line.split(': ')[1])).toEqual([
    'PORT',
    'DATABASE_URL',
    'JWT_SECRET_KEY',
  ]);
});

it('knows a secret that can be guessed, is published or is used twice', async () => {
  const guessed = await findings({ JWT_SECRET_KEY: 'canary-password-secret-change-me-please' });
  expect(guessed.failures).toEqual([expect.stringMatching(/^secret: .+ can be guessed: about/)]);
  await writeFile(join(cwd, '.env.example'), `JWT_SECRET_KEY=${SECRET}\n`);
  const example = await findings({ JWT_SECRET_KEY: SECRET });
  expect(example.failures).toEqual(['secret: JWT_SECRET_KEY is a published example']);
  await rm(join(cwd, '.env.example'));
  const twice = await findings({
    JWT_SECRET_KEY: SECRET,
    DATABASE_URL: `postgres://u:${encodeURIComponent(SECRET)}@127.0.0.1:1/canary`,
    SESSION_SECRET: SECRET,
  });
  expect(twice.code).toBe(1);
  expect(twice.failures).toEqual([
    expect.stringContaining('JWT_SECRET_KEY is also in '),
    expect.stringContaining('JWT_SECRET_KEY is also in '),
    expect.stringContaining('database: cannot be reached'),
  ]);
});

it('knows a database that lacks migrations, is too new, or is half copied', async () => {
  let last = '';
  await onDatabase(async (db) => {
    await db.runMigrations();
    last = db.migrations.at(-1)?.constructor.name ?? '';
    await db.query(`DELETE FROM migrations WHERE name = '${last}'`);
  });
  if (databaseKind() === 'sqlite') await chmod(database.url.slice('sqlite:'.length), 0o600);
  const behind = await findings(production);
  expect(behind.code).toBe(1);
  expect(behind.failures).toEqual([`database: lacks 1 migrations: ${last}`]);
  await onDatabase((db) =>
    db.query(`INSERT INTO migrations (timestamp, name) VALUES (1, 'FromTheFuture1')`),
  );
  const ahead = await findings(production);
  expect(ahead.failures).toEqual(['database: was migrated by a newer Latchkey: FromTheFuture1']);
  await onDatabase(async (db) => {
    await db.query('CREATE TABLE latchkey_copy (position text NOT NULL)');
    await db.query(`INSERT INTO latchkey_copy VALUES ('{}')`);
  });
  const half = await findings(production);
  expect(half.failures).toEqual(['database: holds an unfinished copy']);
});

it('knows files that others can read', async () => {
  const data = join(cwd, 'data');
  await mkdir(data);
  await chmod(data, 0o755);
  await writeFile(join(data, 'jwt-secret'), SECRET, { mode: 0o644 });
  await writeFile(join(cwd, '.env'), 'PORT=0', { mode: 0o604 });
  await chmod(join(cwd, '.env'), 0o604);
  const open = await findings({});
  expect(open.code).toBe(1);
  expect(open.failures).toEqual([
    'files: data is open to every user of this machine',
    'files: .env is open to every user of this machine',
    'files: data/jwt-secret is open to every user of this machine',
  ]);
  await chmod(data, 0o700);
  await chmod(join(cwd, '.env'), 0o600);
  expectClean(await findings({}));
  expect((await stat(join(data, 'jwt-secret'))).size).toBe(SECRET.length);
});

it.each([
  [{}, 'ok', 'accepts mail, also to addresses with letters beyond ASCII'],
  [
    { hideSMTPUTF8: true },
    'warn',
    'does not offer SMTPUTF8: mail to addresses with letters beyond ASCII is not sent',
  ],
] as const)('asks the SMTP server what it takes: %j', async (options, status, said) => {
  const smtp = await startSmtp({ allowInsecureAuth: true, ...options, onAuth: signsIn });
  try {
    const url = `smtp://me:canary-password@127.0.0.1:${smtp.port}`;
    const { all } = await findings({ SMTP_URL: url, MAIL_FROM: 'no-reply@example.com' });
    expect(all.filter(({ check }) => check === 'mail')).toMatchObject([
      { status, message: `127.0.0.1:${smtp.port} ${said}` },
    ]);
  } finally {
    await smtp.stop();
  }
});

it('says that an SMTP server refuses the password, or is not there', async () => {
  const smtp = await startSmtp({
    allowInsecureAuth: true,
    onAuth: (_auth, _session, done) => {
      done(new Error('no canary here'));
    },
  });
  const url = `smtp://me:canary-password@127.0.0.1:${smtp.port}`;
  const settings = { SMTP_URL: url, MAIL_FROM: 'no-reply@example.com' };
  const refused = await findings(settings);
  await smtp.stop();
  const away = await findings(settings);
  const begin = `mail: 127.0.0.1:${smtp.port} accepts no mail: `;
  expect([refused.code, refused.failures]).toEqual([1, [`${begin}EAUTH AUTH PLAIN 535`]]);
  expect([away.code, away.failures]).toEqual([1, [expect.stringContaining(begin) as string]]);
});
