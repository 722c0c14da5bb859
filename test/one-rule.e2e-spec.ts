import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { User } from '../src/users/user.entity.js';
import { type Person, person } from './support/admins.js';
import { latchkey } from './support/server-cli.js';
import { GOOD_PASSWORD, type Server, startServer } from './support/server.js';

let server: Server;
let admin: Person;
beforeAll(async () => {
  server = await startServer();
  admin = await person(server, 'Root', ['admin']);
});
afterAll(() => server.stop());

/** For tests that run several programs, on a machine that has other work. */
const LONG = 300_000;

let files = 0;

/** Whether an import takes a user. */
async function imports(record: Record<string, unknown>): Promise<boolean> {
  const path = join(server.database.dataDir, `import-${files++}.jsonl`);
  await writeFile(path, JSON.stringify(record));
  const args = ['users', 'import', path, '--json', '--report', `${path}.report`];
  return (await latchkey(server, args)).code === 0;
}

const stored = (usernameKey: string) =>
  server.withDatabase((db) => db.getRepository(User).findOneByOrFail({ usernameKey }));

it.each([
  ['editor:eu', true],
  ['Editor.of-the_day', true],
  ['x'.repeat(64), true],
  ['x'.repeat(65), false],
  ['1x', false],
  [':x', false],
  ['a b', false],
  ['é', false],
])(
  'the name of a role, %j, is taken by the API, the command line and an import alike: %s',
  async (role, taken) => {
    const put = await admin.outcome('PUT', `/roles/${encodeURIComponent(role)}`, {
      permissions: ['cats:feed'],
    });
    const name = `user${files}`;
    const { id } = await server.register(name);
    const patched = await admin.outcome('PATCH', `/users/${id}`, { roles: [role] });
    const granted = await latchkey(server, ['users', 'grant', name, role]);
    const made = await latchkey(server, ['users', 'create', `made${files}`, '--role', role], {
      input: GOOD_PASSWORD,
    });
    const imported = await imports({ username: `imported${files}`, roles: [role] });
    expect([put, patched, granted.code, made.code, imported]).toEqual(
      taken ? [200, 200, 0, 0, true] : ['invalid_parameter', 'invalid_parameter', 1, 1, false],
    );
    if (!taken) {
      expect(granted.stderr).toContain('The name of a role begins with a letter and has up to 64');
    }
    const listed = await admin.ask('GET', `/users?role=${encodeURIComponent(role)}`);
    expect(listed.status).toBe(taken ? 200 : 400);
  },
  LONG,
);

it(
  'a user has at most 64 roles, whichever way they are given',
  async () => {
    const roles = Array.from({ length: 65 }, (_, i) => `many${i}`);
    const { id } = await server.register('Many');
    expect(await admin.ask('PATCH', `/users/${id}`, { roles })).toMatchObject({
      status: 400,
      body: { code: 'invalid_parameter' },
    });
    const granted = await latchkey(server, ['users', 'grant', 'Many', ...roles.slice(0, 64)]);
    expect([granted.code, granted.stderr]).toEqual([0, '']);
    expect(await latchkey(server, ['users', 'grant', 'Many', 'many64'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('A user has at most 64 roles') as string,
    });
    expect(await imports({ username: 'manyImported', roles })).toBe(false);
    expect((await stored('many')).roles).toHaveLength(64);
  },
  LONG,
);

it(
  'the language of a user is stored in its canonical form by an import, as by the API',
  async () => {
    expect(await imports({ username: 'spoken', locale: 'DE-at' })).toBe(true);
    expect((await stored('spoken')).locale).toBe('de-AT');
  },
  LONG,
);

it(
  'an address cannot be marked as verified if there is none, by API and command line',
  async () => {
    const body = { username: 'noaddress', verified: true };
    expect(await admin.outcome('POST', '/users', body)).toBe('email_missing');
    const args = ['users', 'create', 'noaddress', '--verified', '--no-password'];
    expect(await latchkey(server, args)).toMatchObject({
      code: 1,
      stderr: '--verified needs an address: give --email as well\n',
    });
  },
  LONG,
);
