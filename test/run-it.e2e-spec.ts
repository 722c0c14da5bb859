import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ask } from './support/http.js';
import { copyProject, type Project } from './support/project.js';
import { GOOD_PASSWORD } from './support/server.js';

/** What the README and the docs tell to start the server with, and how it is stopped. */
let project: Project;
beforeEach(async () => {
  project = await copyProject();
});
afterEach(() => project.remove());

const LISTENING = /Server listening at (http:\/\/[\w.:]+)/;

const isAlive = async (url: string): Promise<boolean> =>
  fetch(`${url}/health/live`).then(
    ({ ok }) => ok,
    () => false,
  );

it.each([
  ['npm alone, as a supervisor that knows one process', 'one', 'SIGTERM'],
  ['all processes, as systemd', 'group', 'SIGTERM'],
  ['all processes, as a terminal does for Ctrl-C', 'group', 'SIGINT'],
] as const)('npm start ends with its server if the signal goes to %s', async (_who, to, signal) => {
  const built = () => stat(join(project.dir, 'dist/src/main.js')).then(({ mtimeMs }) => mtimeMs);
  const before = await built();
  const server = project.run('npm', ['start']);
  const [, url = ''] = await server.said(LISTENING);
  const pid = server.child.pid ?? 0;
  process.kill(to === 'one' ? pid : -pid, signal);
  const { output } = await server.exit;
  expect(output).toContain('"stopped"');
  expect(output).not.toContain('again: stopping at once');
  expect(await isAlive(url)).toBe(false);
  // The tests have built the same already, and an unchanged tree is not compiled again.
  expect(await built()).toBe(before);
});

it('npm start compiles anew after an update of a package that the build has joined', async () => {
  const joined = 'dist/src/bundle-packages.json';
  const isJoined = (await readdir(join(project.dir, 'dist/src'))).includes('bundle-packages.json');
  if (!isJoined) await project.run(process.execPath, ['scripts/bundle.js']).exit;
  const versions = JSON.parse(await project.read(joined)) as Record<string, string>;
  const [core = ''] = Object.keys(versions).filter((name) => name.endsWith('@nestjs/core'));
  expect(versions[core]).toMatch(/^\d+\.\d+\.\d+$/);
  await writeFile(join(project.dir, joined), JSON.stringify({ ...versions, [core]: '0.0.0' }));
  await project.run('npm', ['start']).said(LISTENING);
  expect(await project.read(joined)).not.toContain('"0.0.0"');
});

it('npm start starts nothing while a source has a wrong type', async () => {
  const file = join(project.dir, 'src/auth/hooks.ts');
  const text = await readFile(file, 'utf8');
  await writeFile(file, `${text}\nexport const wrong: number = 'text';\n`);
  for (let time = 1; time <= 2; time++) {
    const { code, output } = await project.run('npm', ['start']).exit;
    expect([time, code, output]).toEqual([time, 1, expect.stringContaining('hooks.ts')]);
  }
  await writeFile(file, text);
  await project.run('npm', ['start']).said(LISTENING);
});

describe('npm run start:dev', () => {
  it('answers without a build, and is not disturbed by the command line', async () => {
    const dev = project.run('npm', ['run', 'start:dev']);
    const [, url = ''] = await dev.said(LISTENING);
    const before = dev.output().match(new RegExp(LISTENING, 'g'))?.length;
    const command = project.run(process.execPath, ['bin/latchkey.js', 'users', 'list']);
    expect((await command.exit).code).toBe(0);
    expect(await isAlive(url)).toBe(true);
    expect(dev.output().match(new RegExp(LISTENING, 'g'))).toHaveLength(before ?? 0);
    expect(dev.output()).not.toContain('finishing what runs');
  });

  it('starts anew after a change of a source, a template or .env', async () => {
    const dev = project.run('npm', ['run', 'start:dev']);
    await dev.said(LISTENING);
    for (const [file, change] of [
      [
        'src/auth/auth.controller.ts',
        (text: string) => text.replace('hello_from: user', 'hello_from: "dear " + user'),
      ],
      ['templates/mail/en/account-deleted.txt.eta', (text: string) => `${text}\n`],
      ['.env', () => 'JWT_ISSUER=changed\n'],
    ] as const) {
      const from = dev.output().length;
      const path = join(project.dir, file);
      await writeFile(path, change(await readFile(path, 'utf8').catch(() => '')));
      await dev.said(LISTENING, from);
    }
    expect(await project.read('dist/src/auth/auth.controller.js')).toContain('"dear "');
    const from = dev.output().length;
    process.kill(-(dev.child.pid ?? 0), 'SIGINT');
    const { output } = await dev.exit;
    expect(output.slice(from)).toContain('"stopped"');
    expect(output.slice(from)).not.toContain('again: stopping at once');
  });

  it('serves a change after a build beside it', async () => {
    const dev = project.run('npm', ['run', 'start:dev']);
    await dev.said(LISTENING);
    expect((await project.run('npm', ['run', 'build']).exit).code).toBe(0);
    const from = dev.output().length;
    const path = join(project.dir, 'src/auth/auth.controller.ts');
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.replace('hello_from: user', 'hello_from: "dear " + user'));
    const [, url = ''] = await dev.said(LISTENING, from);
    const user = { username: 'ada', password: GOOD_PASSWORD };
    await ask(url, 'POST', '/register', user);
    const { body } = await ask(url, 'POST', '/login', user);
    const answer = await ask(url, 'GET', '/protected', undefined, String(body.jwt));
    expect(answer).toEqual({ status: 200, body: { hello_from: 'dear ada' } });
  });

  it('goes on after a source that cannot be read, and says where the error is', async () => {
    const dev = project.run('npm', ['run', 'start:dev']);
    const [, url = ''] = await dev.said(LISTENING);
    const path = join(project.dir, 'src/auth/hooks.ts');
    const text = await readFile(path, 'utf8');
    await writeFile(path, `${text}\nexport class {`);
    await dev.said(/hooks\.ts/);
    expect(await isAlive(url)).toBe(true);
    const from = dev.output().length;
    await writeFile(path, text);
    await dev.said(LISTENING, from);
  });
});
