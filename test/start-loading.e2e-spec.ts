import { execFile } from 'node:child_process';
import { appendFile, cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import request from 'supertest';
import { freshMachine, type Machine } from './support/instances.js';
import { processes } from './support/server-process.js';

const run = promisify(execFile);

let machine: Machine;
const servers = processes();
beforeAll(async () => {
  machine = await freshMachine();
});
afterAll(async () => {
  await servers.killAll();
  await machine.end();
});

/** Runs `work` in a copy of the compiled server, whose modules `npm run build` may have joined or not. */
async function inClone(work: (folder: string) => Promise<void>): Promise<void> {
  const clone = await mkdtemp(join(tmpdir(), 'latchkey-clone-'));
  try {
    for (const name of ['dist', 'scripts', 'package.json']) {
      await cp(name, join(clone, name), { recursive: true });
    }
    await symlink(resolve('node_modules'), join(clone, 'node_modules'));
    await work(clone);
  } finally {
    await rm(clone, { recursive: true, force: true });
  }
}

it('starts where a module of the project awaits something outside of functions', async () => {
  await inClone(async (clone) => {
    await appendFile(join(clone, 'dist/src/server.js'), '\nawait Promise.resolve();\n');
    const main = join(clone, 'dist/src/main.js');
    const server = servers.start(machine.cwd, { DATABASE_URL: machine.database.url }, [main]);
    await request(await server.listening)
      .get('/health/live')
      .expect(200);
    expect(server.output()).not.toMatch(/warning/i);
  });
});

it('starts without the single modules, which the build has joined', async () => {
  await inClone(async (clone) => {
    const compiled = join(clone, 'dist/src');
    const isJoined = (await readdir(compiled)).some((name) => name.startsWith('bundle-'));
    if (!isJoined) await run(process.execPath, [join(clone, 'scripts/bundle.js')]);
    for (const room of ['auth', 'users', 'sessions', 'database', 'observability', 'openapi']) {
      await rm(join(compiled, room), { recursive: true });
    }
    const env = { DATABASE_URL: machine.database.url, PAGES: 'on' };
    const server = servers.start(machine.cwd, env, [join(compiled, 'main.js')]);
    const agent = request(await server.listening);
    // What is loaded late is joined too.
    const documented = await agent.get('/openapi.json').expect(200);
    expect(Object.keys((documented.body as { paths: object }).paths)).toContain('/login');
    // The bundle finds the files that stay beside a module: templates, modules for browsers, a thread's program.
    const page = await agent.get('/sign-in').expect(200);
    const assets = [...new Set(page.text.match(/\/assets\/[\w.-]+\.(css|js)/g))];
    expect(assets.length).toBeGreaterThan(1);
    for (const asset of assets) await agent.get(asset).expect(200);
    await agent.post('/login').send({ username: 'ada', password: 'wrong' }).expect(401);
  });
});

it('loads the drivers of other databases, and OpenTelemetry, when a project uses them', async () => {
  const code = `
    await import(${JSON.stringify(pathToFileURL(resolve('dist/src/common/late-packages.js')).href)});
    const { DataSource } = await import('typeorm');
    const { Counter } = await import('prom-client');
    const { createRequire } = await import('node:module');
    const { cache } = createRequire(resolve('package.json'));
    const loaded = (part) => Object.values(cache).some((one) => one.filename.includes(part) && one.children.length > 0);
    const told = () => ['/SqliteDriver.js', '/OracleDriver.js', '@opentelemetry/api/'].map(loaded);
    const before = told();
    let said;
    try { new DataSource({ type: 'oracle' }); } catch (error) { said = error.name; }
    const { trace } = await import('@opentelemetry/api');
    console.log(JSON.stringify({ before, said, tracer: typeof trace.getTracer('a'), after: told() }));
  `;
  const { stdout } = await run(process.execPath, [
    '--input-type=module',
    '--eval',
    `import { resolve } from 'node:path';${code}`,
  ]);
  expect(JSON.parse(stdout)).toEqual({
    before: [true, false, false],
    said: 'DriverPackageNotInstalledError',
    tracer: 'object',
    after: [true, true, true],
  });
});

it('starts with later versions of libraries, which have other parts', async () => {
  const clone = await mkdtemp(join(tmpdir(), 'latchkey-late-'));
  try {
    for (const name of ['typeorm', 'prom-client']) {
      const folder = join(clone, 'node_modules', name);
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, 'index.js'), '');
    }
    const module = join(clone, 'late-packages.mjs');
    await cp('dist/src/common/late-packages.js', module);
    await expect(run(process.execPath, [module])).resolves.toEqual({ stdout: '', stderr: '' });
  } finally {
    await rm(clone, { recursive: true, force: true });
  }
});
