import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { promisify } from 'node:util';
import { ask, bearer, send } from './support/http.js';
import { ROOMS } from './support/rooms.js';
import { GOOD_PASSWORD } from './support/server.js';
import { kill, startProcess } from './support/server-process.js';

/** The capabilities, each with the other capabilities that it needs. The rest is the core. */
const NEEDS: Record<string, string[]> = {
  account: [],
  'account-pages': ['pages', 'account', 'factors', 'totp', 'passkeys', 'recovery'],
  admin: ['recovery'],
  'audit-chain': [],
  factors: [],
  'mail-sign-in': [],
  observability: [],
  passkeys: ['factors'],
  openapi: [],
  pages: ['factors', 'passkeys', 'mail-sign-in', 'recovery'],
  operations: ['audit-chain'],
  recovery: [],
  totp: ['factors'],
  webhooks: [],
};

/** Files beside the rooms that go with a capability. */
const ALSO_REMOVED: Record<string, string[]> = { operations: ['latchkey.ts', 'commands.ts'] };

/** The files at the top that have a line for a capability. */
const WITH_LINES = ['app.setup.ts', 'commands.ts', 'latchkey.module.ts', 'tables.ts'];

/** One thread takes half the work of several, which check the same types. */
const COMPILE = [
  resolve('node_modules/typescript-7/bin/tsc'),
  ...['-p', 'tsconfig.build.json', '--singleThreaded', '--sourceMap', 'false'],
];

/** Pages and documents of capabilities. */
const PATHS = [
  ...['/', '/sign-in', '/sign-up', '/forgot-password', '/sign-in/mail', '/account', '/nowhere'],
  ...['/openapi.json', '/docs', '/metrics', '/health/ready', '/.well-known/jwks.json'],
  ...['/me', '/me/export', '/me/factors', '/me/passkeys', '/me/sessions', '/audit', '/users'],
];

const run = promisify(execFile);
const isCapability = (room: string): boolean => room in NEEDS;

/** Returns the capability and all that need it. */
function withNeeding(capability: string): string[] {
  const needing = Object.keys(NEEDS).filter((one) => NEEDS[one]?.includes(capability));
  return [capability, ...needing.flatMap(withNeeding)];
}

/** Removes the imports from rooms, and the lines of lists that have an imported name alone. */
function withoutLines(text: string, rooms: string[]): string {
  const names: string[] = [];
  const kept = text.replace(
    /^import (?:type )?\{([^}]*)\} from '\.\/([\w-]+)\/[^']*';\n/gm,
    (line, imported: string, room: string) => {
      if (!rooms.includes(room)) return line;
      names.push(...imported.split(',').map((name) => name.trim()));
      return '';
    },
  );
  return kept
    .split('\n')
    .filter((line) => !names.includes(line.trim().replace(/,$/, '')))
    .join('\n');
}

/** Copies the sources without these rooms and their lines into a new folder, and compiles them. */
async function compiledWithout(rooms: string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-without-'));
  const gone = [...rooms, ...rooms.flatMap((room) => ALSO_REMOVED[room] ?? [])];
  const isKept = (file: string) => !gone.includes(relative('src', file));
  for (const file of ['tsconfig.json', 'tsconfig.build.json', 'package.json', 'ormconfig.ts']) {
    await cp(file, join(folder, file));
  }
  await cp('src', join(folder, 'src'), { recursive: true, filter: isKept });
  await symlink(resolve('node_modules'), join(folder, 'node_modules'));
  for (const file of WITH_LINES.map((name) => join('src', name)).filter(isKept)) {
    await writeFile(join(folder, file), withoutLines(await readFile(file, 'utf8'), rooms));
  }
  try {
    await run(process.execPath, COMPILE, { cwd: folder });
  } catch (error) {
    throw new Error((error as { stdout: string }).stdout, { cause: error });
  }
  // The templates and the modules for browsers are the same in every copy.
  await cp('dist/templates', join(folder, 'dist/templates'), { recursive: true });
  for (const file of await readdir('dist/src', { recursive: true })) {
    if (!file.endsWith('.browser.js') || gone.some((room) => file.startsWith(`${room}/`))) continue;
    await cp(join('dist/src', file), join(folder, 'dist/src', file));
  }
  return folder;
}

/** Tells whether the commands have lost modules with these rooms. */
const hasOtherCommands = (rooms: string[]): boolean => {
  const commands = readFileSync('src/commands.ts', 'utf8');
  return !rooms.includes('operations') && withoutLines(commands, rooms) !== commands;
};

/** Starts the compiled server, signs a user in, opens pages and documents, and stops it. Returns its log. */
async function useServer(folder: string, rooms: string[]): Promise<string> {
  const cwd = join(folder, 'run');
  await mkdir(cwd);
  const database = `sqlite:${join(cwd, 'database')}`;
  const env = { DATABASE_URL: database, SIGN_IN_BY_MAIL: 'on' };
  const server = startProcess(cwd, env, [join(folder, 'dist/src/main.js')]);
  try {
    const url = await server.listening;
    const user = { username: 'ada', password: GOOD_PASSWORD };
    const health = await ask(url, 'GET', '/health/live');
    expect(health.status).toBe(rooms.includes('observability') ? 404 : 200);
    expect(await ask(url, 'POST', '/register', user)).toMatchObject({ status: 201 });
    const { body } = await ask(url, 'POST', '/login', user);
    expect(await ask(url, 'GET', '/protected', undefined, String(body.jwt))).toMatchObject({
      status: 200,
      body: { hello_from: 'ada' },
    });
    for (const path of PATHS) {
      const { status } = await send(url + path, 'GET', undefined, {
        authorization: bearer(String(body.jwt)),
      });
      expect([path, status < 500]).toEqual([path, true]);
    }
    server.child.kill('SIGTERM');
    const { code, output } = await server.exit;
    expect([code, output]).toEqual([0, output]);
    // The commands start the application as well, with fewer modules.
    if (hasOtherCommands(rooms)) {
      const list = [join(folder, 'dist/src/latchkey.js'), 'users', 'list', '--json'];
      const { stdout } = await run(process.execPath, list, { cwd, env });
      expect(stdout).toContain('"username":"ada"');
    }
    return output;
  } finally {
    await kill(server.child);
  }
}

it('names rooms alone', () => {
  expect(Object.keys(NEEDS).filter((room) => !(room in ROOMS))).toEqual([]);
});

it('lets a capability import the capabilities that it needs, and the core none', () => {
  const wrong = Object.entries(ROOMS).flatMap(([room, imports]) =>
    imports
      .filter((other) => isCapability(other) && other !== room && !NEEDS[room]?.includes(other))
      .map((other) => `${room} may import ${other}`),
  );
  expect(wrong).toEqual([]);
});

it.each(Object.keys(NEEDS))(
  'compiles and serves without %s',
  async (capability) => {
    const rooms = withNeeding(capability);
    const folder = await compiledWithout(rooms);
    try {
      const log = await useServer(folder, rooms);
      expect(log.split('\n').filter((line) => /"level":[56]0/.test(line))).toEqual([]);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
  120_000,
);
