import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { User } from '../src/users/user.entity.js';
import { type CommandOptions, latchkey } from './support/server-cli.js';
import { GOOD_PASSWORD, type Server, startServer } from './support/server.js';

/** Of the C library, for {@link GOOD_PASSWORD}. */
const BCRYPT = '$2b$05$abcdefghijklmnopqrstuuFiPhXf1sVd3pCCRO.uVh34H/qI/ZsuS';
const ID = '0f0e0d0c-0b0a-4908-8706-050403020100';

let server: Server;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

/** For tests that run several programs, on a machine that has other work. */
const LONG = 300_000;

let files = 0;

/** Imports what `text` says, with a report; resolves to counts and refused lines. */
async function imported(
  text: string | Buffer,
  kind = 'jsonl',
  options: CommandOptions = {},
  flags: string[] = [],
) {
  const path = join(server.database.dataDir, `import-${files++}`);
  await writeFile(`${path}.${kind}`, text);
  const args = [
    'users',
    'import',
    `${path}.${kind}`,
    '--json',
    '--report',
    `${path}.report`,
    ...flags,
  ];
  const { code, stdout, stderr } = await latchkey(server, args, options);
  expect(stderr).not.toContain(BCRYPT);
  const report = await readFile(`${path}.report`, 'utf8').catch(() => '');
  const told = report
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as { line: number } & ({ reason: string } | { note: string }));
  return {
    code,
    counts: stdout === '' ? undefined : (JSON.parse(stdout) as unknown),
    refused: told.flatMap((one) => ('reason' in one ? [`${one.line}: ${one.reason}`] : [])),
    notes: told.flatMap((one) => ('note' in one ? [`${one.line}: ${one.note}`] : [])),
    stderr,
  };
}

const lines = (...records: unknown[]) =>
  records
    .map((record) => (typeof record === 'string' ? record : JSON.stringify(record)))
    .join('\n');

const stored = (username: string) =>
  server.withDatabase((database) => database.manager.findOneBy(User, { usernameKey: username }));

it('takes over what a line says, and what export prints is the same again', async () => {
  const shown = {
    id: ID,
    username: 'Ida',
    email: 'Ida@Example.org',
    emailVerifiedAt: '2020-02-03T04:05:06.789Z',
    displayName: 'Ida Łukasz 🐈',
    locale: 'pl-PL',
    roles: ['admin', 'editor'],
    disabledAt: null,
    disabledReason: null,
    disabledUntil: null,
    createdAt: '2019-01-02T03:04:05.678Z',
  };
  const record = { ...shown, passwordHash: BCRYPT };
  const bom = '\uFEFF';
  const outcome = await imported(`${bom}${JSON.stringify(record)}\r\n\r\n`);
  expect(outcome).toMatchObject({
    code: 0,
    counts: { imported: 1, unchanged: 0, refused: 0 },
    refused: [],
  });
  const { jwt } = await server.login('ida');
  const me = await server.get('/me', `Bearer ${jwt}`);
  expect(me.body).toMatchObject({
    id: ID,
    username: 'Ida',
    roles: ['admin', 'editor'],
    createdAt: record.createdAt,
  });
  const plain = await latchkey(server, ['users', 'export']);
  expect([plain.code, plain.stderr]).toEqual([0, '']);
  const exported = plain.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
  expect(exported).toContainEqual(shown);
  expect(plain.stdout).not.toContain('$2b$');
});

it(
  'exports hashes where they are asked for, with a warning, and imports them again',
  async () => {
    await server.register('export-ada');
    const { stdout, stderr } = await latchkey(server, [
      'users',
      'export',
      '--with-password-hashes',
    ]);
    expect(stderr).toBe('The output contains password hashes: protect it like the database.\n');
    const other = await startServer();
    try {
      const args = ['users', 'import', '-', '--json'];
      const { code } = await latchkey(other, args, { input: stdout });
      expect(code).toBe(0);
      await other.login('export-ada');
      const again = await latchkey(other, ['users', 'export']);
      const before = await latchkey(server, ['users', 'export']);
      expect(again.stdout).toBe(before.stdout);
    } finally {
      await other.stop();
    }
  },
  LONG,
);

it('reports each line that it refuses, with its number and the reason, and takes the others', async () => {
  await server.register('there', GOOD_PASSWORD, 'there@example.org');
  const outcome = await imported(
    Buffer.concat([
      Buffer.from(
        lines(
          { username: 'good-1' },
          '{"username": "good',
          '[]',
          'null',
          {},
          { username: 'nul\0' },
          { username: '🐈' },
          { username: '\uD800' },
          { username: 'x'.repeat(65) },
          { username: 'hash', passwordHash: BCRYPT.replace('$05', '$31') },
          { username: 'hash-2', passwordHash: 'hunter2' },
          { username: 'hash', password: 'hunter2' },
          { username: 'odd', isAdmin: true },
          { username: 'mail', email: 'nowhere' },
          { username: 'role', roles: ['a b'] },
          { username: 'role', roles: 'admin' },
          { username: 'time', createdAt: '2019-13-01T00:00:00Z' },
          { username: 'time', createdAt: '2999-01-01T00:00:00Z' },
          { username: 'ids', id: 'x' },
          { username: 'locale', locale: 'x'.repeat(40) },
          { username: 'name', displayName: 'a\u0007' },
          { username: 'THERE', id: ID.replace('0f', '0e') },
          { username: 'other', email: 'THERE@example.org' },
          { username: 'THERE' },
          { username: 'good-2', email: 'good-2@example.org' },
          { username: 'GOOD-2' },
          { username: 'good-3', email: 'Good-2@example.org' },
          '{"__proto__": {"roles": ["admin"]}, "username": "proto"}',
          '['.repeat(30_000),
          '',
        ),
      ),
      Buffer.from([0xff, 0xfe, 0x0a]),
      Buffer.from(`{"username": "${'long'.repeat(2_500_000)}"}\n`),
      Buffer.from(lines({ username: 'good-4', disabled: true, verified: true, roles: ['b', 'b'] })),
    ]),
  );
  expect(outcome.refused).toEqual([
    '2: The line is not JSON',
    '3: The line is not a JSON object',
    '4: The line is not a JSON object',
    '5: There is neither a username nor an email',
    '6: The username contains a character that is not a letter, digit or ASCII sign',
    '7: The username contains a character that is not a letter, digit or ASCII sign',
    '8: The username is not well-formed Unicode',
    '9: The username has more than 64 characters',
    '10: The hash asks for too much work for each login',
    '12: A plain password is not accepted: give its hash in passwordHash',
    '13: Unknown keys: "isAdmin"',
    '15: The roles are not a list of names',
    '16: The roles are not a list of names',
    '17: createdAt is not a time such as 2026-01-31T12:00:00Z',
    '18: createdAt is in the future',
    '28: Unknown keys: "__proto__"',
    '29: The line is not JSON',
    '30: The line is not in UTF-8',
    '31: The line has more than 65536 bytes',
    '22: The username belongs to another user',
    '23: The email belongs to another user',
    '26: The user is already in the file, on an earlier line',
    '27: The email belongs to another user',
  ]);
  expect(outcome.notes).toEqual([
    '11: The form of the hash is not known: the user has to reset the password',
    '14: The email is not an e-mail address: the user is imported without it',
    '19: The id is not a UUID: the user gets a new one',
    '20: The locale is not a language tag such as de-AT: left out',
    '21: The displayName is not a line of 1 to 64 characters: left out',
  ]);
  expect(outcome).toMatchObject({
    code: 4,
    counts: { imported: 8, partial: 5, unchanged: 1, refused: 23 },
  });
  expect(await stored('good-4')).toMatchObject({
    disabledAt: expect.any(Date) as Date,
    emailVerifiedAt: null,
    passwordHash: expect.stringMatching(/^!/) as string,
    roles: ['b'],
  });
});

it('takes CSV, with quotes and empty fields', async () => {
  const outcome = await imported(
    [
      '\uFEFFusername,email,passwordHash,roles,disabled,verified',
      `csv-1,"csv-1@example.org",${BCRYPT},"editor, lister",false,true`,
      `"csv-2",,,,true,`,
      'csv-3,,,',
      'csv-4,,,,perhaps,',
      '"csv-5,,,,,',
      'csv-6,,,,,,',
      '',
    ].join('\r\n'),
    'csv',
  );
  expect(outcome).toMatchObject({
    code: 4,
    counts: { imported: 2, unchanged: 0, refused: 4 },
    refused: [
      '4: The line has 4 fields, not 6',
      '5: disabled is neither true nor false',
      '6: The line is not CSV, or a field contains a line break',
      '7: The line has 7 fields, not 6',
    ],
  });
  await server.login('csv-1');
  expect(await stored('csv-1')).toMatchObject({
    email: 'csv-1@example.org',
    emailVerifiedAt: expect.any(Date) as Date,
    roles: ['editor', 'lister'],
  });
  expect(await stored('csv-2')).toMatchObject({
    disabledAt: expect.any(Date) as Date,
    email: null,
  });
});

describe('files of other systems', () => {
  const importOf = (...records: unknown[]) => imported(lines(...records));
  const HASH_UNKNOWN = 'The form of the hash is not known: the user has to reset the password';
  const named = (line: number, name: string) =>
    `${line}: There is no valid username: the user is called ${name}`;

  it('take Django’s ways of writing no password and no address as such', async () => {
    const outcome = await importOf(
      {
        username: 'django-1',
        email: '',
        passwordHash: '!UTVTRqvNdGHsWBGVvbjW5jUJvLJYcPBhSrCNRmTV',
        displayName: '',
        disabled: 0,
      },
      { username: 'django-2', email: null, passwordHash: '!', createdAt: '2019-01-02 03:04:05+00' },
      { username: 'django-3', passwordHash: `bcrypt_sha256$${BCRYPT}`, locale: 'de_AT.UTF-8' },
    );
    expect(outcome).toMatchObject({
      code: 0,
      counts: { imported: 3, partial: 0, unchanged: 0, refused: 0 },
      notes: [],
    });
    expect(await stored('django-1')).toMatchObject({
      email: null,
      displayName: null,
      disabledAt: null,
      passwordHash: expect.stringMatching(/^!/) as string,
    });
    const createdAt = new Date('2019-01-02T03:04:05Z');
    expect(await stored('django-2')).toMatchObject({ createdAt });
    expect(await stored('django-3')).toMatchObject({ locale: 'de-AT' });
  });

  it.each([
    [';', 'TRUE', 'FALSE', 'NULL'],
    ['\t', 't', 'f', '\\N'],
    [',', '1', '0', ''],
  ])('take the CSV of a spreadsheet or a database, with %j', async (comma, yes, no, nothing) => {
    const name = `sheet-${comma.charCodeAt(0)}`;
    const rows = [
      ['Username', 'EMAIL', 'Verified', 'disabled', 'createdAt', 'passwordHash', 'locale'],
      [`${name}-1`, `${name}@example.org`, yes, no, '2020-01-31 12:00', nothing, nothing],
      [`${name}-2`, nothing, no, yes, '1580472000000', nothing, 'en_US'],
      [`${name}-3`, nothing, no, no, '0000-00-00 00:00:00', nothing, ''],
    ];
    const outcome = await imported(rows.map((row) => row.join(comma)).join('\r\n'), 'csv');
    expect(outcome).toMatchObject({
      code: 0,
      counts: { imported: 3, partial: 0, unchanged: 0, refused: 0 },
      refused: [],
      notes: [],
    });
    const createdAt = new Date('2020-01-31T12:00:00Z');
    expect(await stored(`${name}-1`)).toMatchObject({
      email: `${name}@example.org`,
      emailVerifiedAt: expect.any(Date) as Date,
      disabledAt: null,
      createdAt,
      locale: null,
    });
    expect(await stored(`${name}-2`)).toMatchObject({
      email: null,
      disabledAt: expect.any(Date) as Date,
      createdAt,
      locale: 'en-US',
    });
  });

  it('give users without a name one made of their address, and know them again', async () => {
    await server.register('nora');
    const records = [
      { email: 'Nils@example.org', verified: true, passwordHash: BCRYPT },
      { email: 'nora@example.org', passwordHash: null },
      { username: 'nick@example.org', passwordHash: BCRYPT },
      { username: 'Nea Nord', email: 'nn@example.org' },
      { id: 'abcdefab-1111-4222-8333-444444444444' },
      { id: 'auth0|5f7c', email: 'nell@example.org', passwordHash: 'md5:5f4dcc3b5aa765d61d8327de' },
      { username: 'null', email: 'null@example.org' },
    ];
    const planned = await importOf(...records);
    expect(planned.notes).toEqual([
      named(1, 'Nils'.toLowerCase()),
      expect.stringMatching(/^2: .* called nora-[\da-f]{6}$/) as string,
      named(3, 'nick'),
      named(4, 'NeaNord'),
      named(5, 'user-abcdefab'),
      '6: The id is not a UUID: the user gets a new one',
      `6: ${HASH_UNKNOWN}`,
      named(6, 'nell'),
    ]);
    expect(planned).toMatchObject({
      code: 0,
      counts: { imported: 7, partial: 6, unchanged: 0, refused: 0 },
    });
    await server.login('nils@example.org');
    await server.login('nick@example.org');
    expect(await stored('nell')).toMatchObject({
      passwordHash: expect.stringMatching(/^!/) as string,
    });
    expect(await importOf(...records)).toMatchObject({
      code: 0,
      counts: { imported: 0, partial: 0, unchanged: 7, refused: 0 },
      notes: [],
    });
  });

  it('get another name if theirs looks like one that is taken, or is reserved', async () => {
    await server.register('wallace', GOOD_PASSWORD);
    const { jwt } = await server.login('wallace');
    await server.http
      .patch('/me')
      .set('authorization', `Bearer ${jwt}`)
      .send({ username: 'gromit' })
      .expect(200);
    const { counts, refused, notes } = await imported(
      lines(
        { email: 'wallace@example.net' },
        { email: 'gr\u0585mit@example.net' },
        { email: 'w\u0251llace@example.net' },
      ),
    );
    expect(refused).toEqual([]);
    expect(counts).toMatchObject({ imported: 3 });
    expect(notes[0]).toMatch(/is called wallace-[0-9a-f]{6}$/);
    expect(notes[2]).toMatch(/is called w\u0251llace-[0-9a-f]{6}$/);
  });

  it('are judged and not stored by --dry-run, with the same findings as the import', async () => {
    const records = [
      { username: 'dry-1', email: 'dry@example.org', passwordHash: BCRYPT },
      { username: 'dry-2', email: 'DRY@example.org' },
      { email: 'dry-3@example.org', passwordHash: 'unknown' },
      ...Array.from({ length: 600 }, (_, i) => ({ username: `dry-many-${i}` })),
      { username: 'DRY-1' },
      { username: 'dry-4', password: 'hunter2' },
    ];
    const dry = await imported(lines(...records), 'jsonl', {}, ['--dry-run']);
    expect(dry.counts).toEqual({ imported: 602, partial: 1, unchanged: 0, refused: 3 });
    expect(await stored('dry-1')).toBeNull();
    const real = await imported(lines(...records));
    const { code, counts, refused, notes } = dry;
    expect(real).toMatchObject({ code, counts, refused, notes });
    await server.login('dry-1');
  });
});

it('imports the export of every state of a user that the API can make', async () => {
  const source = await startServer();
  const target = await startServer();
  try {
    const patched = async (values: Partial<User>, id: string) =>
      source.withDatabase(({ manager }) => manager.update(User, { id }, values));
    const admin = await source.register('state-admin');
    await latchkey(source, ['users', 'grant', admin.username, 'admin']);
    const { jwt } = await source.login('state-admin');
    const ask = (method: 'patch' | 'post', path: string, body: object, token = jwt) =>
      source.http[method](path).auth(token, { type: 'bearer' }).send(body);
    const soon = new Date(Date.now() + 86_400_000).toISOString();
    const states = [
      { roles: [] },
      { roles: ['support', 'cats.keeper_1'] },
      { verified: true },
      { disabled: {} },
      { disabled: { reason: 'Chargeback 👩‍🚀 „quoted“ \\ "x"' } },
      { disabled: { until: soon } },
      { disabled: { until: soon, reason: 'x'.repeat(255) } },
      { roles: ['support'], verified: true, disabled: { until: soon, reason: ' ' } },
    ];
    for (const role of ['support', 'cats.keeper_1']) {
      await source.http
        .put(`/roles/${role}`)
        .auth(jwt, { type: 'bearer' })
        .send({ permissions: [] })
        .expect(200);
    }
    for (const [i, state] of states.entries()) {
      for (const [j, name] of [`State-${i}`, `Zustände${i}`, `東${i}`].entries()) {
        const user = await source.register(name, GOOD_PASSWORD, `${i}.${j}+x@bücher.example`);
        const { jwt: own } = await source.login(name);
        const profile =
          j === 0 ? { displayName: `Ada 👩‍🚀 ${i}`, locale: 'zh-Hant-TW' } : { locale: 'de' };
        await ask('patch', '/me', profile, own).expect(200);
        await ask('patch', `/users/${user.id}`, state).expect(200);
      }
    }
    // As older versions took it, and a ban that is over.
    const old = await source.register('state-old');
    await patched({ disabledAt: new Date(), disabledReason: 'red \u001b[31m alert' }, old.id);
    const over = await source.register('state-over');
    await patched({ disabledAt: new Date(1), disabledUntil: new Date(2) }, over.id);
    const refused = await ask('patch', `/users/${old.id}`, { disabled: { reason: '\u001b[2J' } });
    expect([refused.status, (refused.body as { code: string }).code]).toEqual([
      400,
      'invalid_parameter',
    ]);
    const shown = await latchkey(source, ['users', 'show', 'state-old']);
    expect(shown.stdout).toContain('red \\u001b[31m alert');

    const exported = await latchkey(source, ['users', 'export', '--with-password-hashes']);
    const { code, stdout } = await latchkey(target, ['users', 'import', '-', '--json'], {
      input: exported.stdout,
    });
    const users = 3 * states.length + 3;
    expect([code, JSON.parse(stdout)]).toEqual([
      0,
      { imported: users, partial: 1, unchanged: 0, refused: 0 },
    ]);
    const again = await latchkey(target, ['users', 'export', '--with-password-hashes']);
    expect(again.stdout).toBe(exported.stdout.replace('red \\u001b[31m', 'red  [31m'));
  } finally {
    await source.stop();
    await target.stop();
  }
});

it.each(['username,password\n', 'roles\n', 'username,username\n', '"username\n', '\0\n', '\xFF\n'])(
  'refuses a CSV file that begins with %j',
  async (header) => {
    const { code, counts, stderr } = await imported(`${header}ada,x\n`, 'csv');
    expect([code, counts]).toEqual([1, undefined]);
    expect(stderr).toMatch(
      /^The first line has to name columns, .+ Known columns: id, username, .+\n$/,
    );
  },
);

it('writes no report over a file, and says what it cannot read or tell', async () => {
  const path = join(server.database.dataDir, 'precious.jsonl');
  await writeFile(path, '{"username": "precious"}\n');
  for (const [args, code, sentence] of [
    [[path, '--report', path], 1, `${path} cannot be created: EEXIST`],
    [['nowhere.csv'], 1, 'nowhere.csv cannot be read: ENOENT'],
    [
      ['users.dump'],
      2,
      'Give --format jsonl or --format csv: the name of the file does not show the format',
    ],
  ] as const) {
    const outcome = await latchkey(server, ['users', 'import', ...args]);
    expect(outcome).toEqual({ code, stdout: '', stderr: `${sentence}\n` });
  }
  expect(await readFile(path, 'utf8')).toBe('{"username": "precious"}\n');
  expect(await stored('precious')).toBeNull();
});

const MANY = 5_000;
const many = (prefix: string) =>
  Array.from({ length: MANY }, (_, i) =>
    JSON.stringify({
      username: `${prefix}-${i}`,
      email: `${prefix}-${i}@example.org`,
      passwordHash: BCRYPT,
      roles: ['imported'],
    }),
  );

it(
  'goes on after a kill, with nobody lost and nobody twice',
  async () => {
    const text = many('killed').join('\n');
    const count = () =>
      server.withDatabase((database) =>
        database.manager
          .createQueryBuilder(User, 'user')
          .where(`user.username_key LIKE 'killed-%'`)
          .getCount(),
      );
    const broken = await imported(text, 'jsonl', {
      watch: (stderr, kill) => {
        if (stderr.includes('importing: 10 %')) kill();
      },
    });
    expect(broken.code).toBeNull();
    const before = await count();
    expect(before).toBeGreaterThan(0);
    expect(before).toBeLessThan(MANY);
    expect(await imported(text)).toMatchObject({
      code: 0,
      counts: { imported: MANY - before, unchanged: before, refused: 0 },
    });
    expect(await count()).toBe(MANY);
    await server.login(`killed-${MANY - 1}`);
  },
  LONG,
);

it(
  'may run twice at once: each user is stored by one of the two',
  async () => {
    const text = many('both')
      .map((line) => JSON.stringify({ id: randomUUID(), ...(JSON.parse(line) as object) }))
      .join('\n');
    const both = await Promise.all([imported(text), imported(text)]);
    expect(
      both.map(({ code, stderr }) => [code === 0 || code === 1, stderr.includes('QueryFailed')]),
    ).toEqual([
      [true, false],
      [true, false],
    ]);
    const stored = both.map(({ counts }) => (counts as { imported: number }).imported);
    expect(stored.reduce((sum, count) => sum + count)).toBe(MANY);
  },
  LONG,
);

it(
  'holds neither the file nor a line of any length in memory',
  async () => {
    const hook = join(server.database.dataDir, 'peak.cjs');
    const peaks = join(server.database.dataDir, 'peak');
    await writeFile(
      hook,
      // Not maxRSS alone: on Linux a child begins with that of the process it was forked from.
      `const { existsSync, readFileSync, writeFileSync } = require('node:fs');
       const own = '/proc/self/status';
       process.on('exit', () => writeFileSync(${JSON.stringify(peaks)}, existsSync(own)
         ? /VmHWM:\\s+(\\d+)/.exec(readFileSync(own, 'utf8'))[1]
         : String(process.resourceUsage().maxRSS)))`,
    );
    const peakOf = async (text: string) => {
      const { counts } = await imported(text, 'jsonl', {
        env: { NODE_OPTIONS: `--require ${hook} --max-old-space-size=128` },
      });
      return { counts, peak: Number(await readFile(peaks, 'utf8')) / 1024 };
    };
    const few = await peakOf(many('few').slice(0, 1_000).join('\n'));
    const large = [...many('large'), 'x'.repeat(350_000_000), ''].join('\n');
    const all = await peakOf(large);
    expect(all.counts).toEqual({ imported: MANY, partial: 0, unchanged: 0, refused: 1 });
    // The line alone would be more.
    expect(all.peak - few.peak).toBeLessThan(150);
  },
  LONG,
);
