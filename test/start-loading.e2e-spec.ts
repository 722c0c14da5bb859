import { execFile } from 'node:child_process';
import { appendFile, cp, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import request from 'supertest';
import { freshMachine, type Machine } from './support/instances.js';
import { processes } from './support/server-process.js';

let machine: Machine;
const servers = processes();
beforeAll(async () => {
  machine = await freshMachine();
});
afterAll(async () => {
  await servers.killAll();
  await machine.end();
});

it('starts where a module of the project awaits something outside of functions', async () => {
  const clone = await mkdtemp(join(tmpdir(), 'latchkey-await-'));
  try {
    await cp('dist', join(clone, 'dist'), { recursive: true });
    await cp('package.json', join(clone, 'package.json'));
    await symlink(resolve('node_modules'), join(clone, 'node_modules'));
    await appendFile(join(clone, 'dist/src/app.module.js'), '\nawait Promise.resolve();\n');
    const main = join(clone, 'dist/src/main.js');
    const server = servers.start(machine.cwd, { DATABASE_URL: machine.database.url }, [main]);
    await request(await server.listening)
      .get('/health/live')
      .expect(200);
    expect(server.output()).not.toMatch(/warning/i);
  } finally {
    await rm(clone, { recursive: true, force: true });
  }
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
  const { stdout } = await promisify(execFile)(process.execPath, [
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
