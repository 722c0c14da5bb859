import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { User } from '../src/users/user.entity.js';
import { BCRYPT, ID, imported, lines, LONG, stored } from './support/imports.js';
import { latchkey } from './support/server-cli.js';
import { GOOD_PASSWORD, type Server, startServer } from './support/server.js';

let server: Server;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

it('reports each line that it refuses, with its number and the reason, and takes the others', async () => {
  await server.register('there', GOOD_PASSWORD, 'there@example.org');
  const outcome = await imported(
    server,
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
  expect(await stored(server, 'good-4')).toMatchObject({
    disabledAt: expect.any(Date) as Date,
    emailVerifiedAt: null,
    passwordHash: expect.stringMatching(/^!/) as string,
    roles: ['b'],
  });
});

it('takes CSV, with quotes and empty fields', async () => {
  const outcome = await imported(
    server,
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
  expect(await stored(server, 'csv-1')).toMatchObject({
    email: 'csv-1@example.org',
    emailVerifiedAt: expect.any(Date) as Date,
    roles: ['editor', 'lister'],
  });
  expect(await stored(server, 'csv-2')).toMatchObject({
    disabledAt: expect.any(Date) as Date,
    email: null,
  });
});

it.each(['username,password\n', 'roles\n', 'username,username\n', '"username\n', '\0\n', '\xFF\n'])(
  'refuses a CSV file that begins with %j',
  async (header) => {
    const { code, counts, stderr } = await imported(server, `${header}ada,x\n`, 'csv');
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
  expect(await stored(server, 'precious')).toBeNull();
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
    const broken = await imported(server, text, 'jsonl', {
      watch: (stderr, kill) => {
        if (stderr.includes('importing: 10 %')) kill();
      },
    });
    expect(broken.code).toBeNull();
    const before = await count();
    expect(before).toBeGreaterThan(0);
    expect(before).toBeLessThan(MANY);
    expect(await imported(server, text)).toMatchObject({
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
    const both = await Promise.all([imported(server, text), imported(server, text)]);
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
      const { counts } = await imported(server, text, 'jsonl', {
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
