import { User } from '../src/users/user.entity.js';
import { BCRYPT, ID, imported, lines, LONG, stored } from './support/imports.js';
import { latchkey } from './support/server-cli.js';
import { GOOD_PASSWORD, type Server, startServer } from './support/server.js';

let server: Server;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

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
  const outcome = await imported(server, `${bom}${JSON.stringify(record)}\r\n\r\n`);
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

describe('files of other systems', () => {
  const importOf = (...records: unknown[]) => imported(server, lines(...records));
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
    expect(await stored(server, 'django-1')).toMatchObject({
      email: null,
      displayName: null,
      disabledAt: null,
      passwordHash: expect.stringMatching(/^!/) as string,
    });
    const createdAt = new Date('2019-01-02T03:04:05Z');
    expect(await stored(server, 'django-2')).toMatchObject({ createdAt });
    expect(await stored(server, 'django-3')).toMatchObject({ locale: 'de-AT' });
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
    const outcome = await imported(server, rows.map((row) => row.join(comma)).join('\r\n'), 'csv');
    expect(outcome).toMatchObject({
      code: 0,
      counts: { imported: 3, partial: 0, unchanged: 0, refused: 0 },
      refused: [],
      notes: [],
    });
    const createdAt = new Date('2020-01-31T12:00:00Z');
    expect(await stored(server, `${name}-1`)).toMatchObject({
      email: `${name}@example.org`,
      emailVerifiedAt: expect.any(Date) as Date,
      disabledAt: null,
      createdAt,
      locale: null,
    });
    expect(await stored(server, `${name}-2`)).toMatchObject({
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
    expect(await stored(server, 'nell')).toMatchObject({
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
      server,
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
    const dry = await imported(server, lines(...records), 'jsonl', {}, ['--dry-run']);
    expect(dry.counts).toEqual({ imported: 602, partial: 1, unchanged: 0, refused: 3 });
    expect(await stored(server, 'dry-1')).toBeNull();
    const real = await imported(server, lines(...records));
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
