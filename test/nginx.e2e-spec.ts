import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './support/cluster.js';
import { type FreshDatabase, freshDatabase } from './support/databases.js';
import { send } from './support/http.js';
import { kill, processes, type ServerProcess } from './support/server-process.js';
import { GOOD_PASSWORD, SECRET } from './support/server.js';
import { accepts } from './support/wait.js';

/** Two instances behind nginx with the configuration that compose.yaml mounts, as docs/scaling.md advises. */
const nginx = process.env.TEST_NGINX;
const withNginx = nginx === undefined ? describe.skip : describe;

withNginx('two instances behind nginx', () => {
  const servers = processes();
  let database: FreshDatabase;
  let dir: string;
  let proxy: ChildProcess;
  let url: string;
  let ports: number[];
  let instances: ServerProcess[];

  const startInstance = (index: number): ServerProcess =>
    servers.start(database.dataDir, {
      DATABASE_URL: database.url,
      JWT_SECRET_KEY: SECRET,
      PORT: String(ports[index]),
      HOST: '127.0.0.1',
      TRUST_PROXY: '1',
      SHUTDOWN_DELAY: '5s',
      RATE_LIMITS: 'off',
    });

  beforeAll(async () => {
    database = await freshDatabase({ migrated: true });
    dir = await mkdtemp(join(tmpdir(), 'latchkey-nginx-'));
    // nginx's workers run as another user.
    await chmod(dir, 0o755);
    ports = [await freePort(), await freePort()];
    const own = await freePort();
    url = `http://127.0.0.1:${own}`;
    instances = [startInstance(0), startInstance(1)];
    await Promise.all(instances.map(({ listening }) => listening));
    const config = (await readFile('docker/nginx.conf', 'utf8'))
      // The names are the container engine's, and Debian's nginx cannot look them up again.
      .replace(/^ *resolver .*$/m, '')
      .replaceAll(/latchkey-(\d):3000 resolve/g, (_all, n: string) => {
        return `127.0.0.1:${ports[Number(n) - 1] ?? ''}`;
      })
      .replace('listen 8080;', `listen 127.0.0.1:${own};`)
      .replaceAll('/tmp/', `${dir}/`)
      .replace('/dev/stderr', join(dir, 'error.log'));
    await writeFile(join(dir, 'nginx.conf'), config);
    proxy = spawn(nginx ?? '', ['-p', dir, '-c', join(dir, 'nginx.conf'), '-g', 'daemon off;'], {
      stdio: 'ignore',
    });
    const ended = once(proxy, 'exit').then(() => {
      throw new Error('nginx has ended');
    });
    await Promise.race([accepts(own), ended]);
  });
  afterAll(async () => {
    await kill(proxy, 'SIGTERM');
    await servers.killAll();
    await database.drop();
    await rm(dir, { recursive: true, force: true });
  });

  const post = (path: string, body: object, headers: Record<string, string> = {}) =>
    send(url + path, 'POST', body, headers);
  const ada = { username: 'ada', password: GOOD_PASSWORD };

  it('serve the API, store the address that nginx saw, and do not show internal routes', async () => {
    expect((await post('/register', ada, { 'x-forwarded-for': '203.0.113.7' })).status).toBe(201);
    const login = await post('/login', ada, { 'x-forwarded-for': '203.0.113.7' });
    const { jwt } = (await login.json()) as { jwt: string };
    const authorization = `Bearer ${jwt}`;
    const sessions = await fetch(`${url}/me/sessions`, { headers: { authorization } });
    const list = (await sessions.json()) as { sessions: { address: string }[] };
    expect(list.sessions.map(({ address }) => address)).toEqual(['127.0.0.1']);
    for (const path of ['/metrics', '/health/live', '/health/ready']) {
      const hidden = await fetch(url + path);
      expect([path, hidden.status, await hidden.json()]).toEqual([
        path,
        404,
        { msg: 'This path does not exist', code: 'not_found' },
      ]);
    }
  });

  it('lose no request while each is restarted in turn, under load', async () => {
    const { jwt } = (await (await post('/login', ada)).json()) as { jwt: string };
    const headers = { authorization: `Bearer ${jwt}` };
    // Another user: many sign-ins end the oldest sessions.
    const bob = { ...ada, username: 'bob' };
    expect((await post('/register', bob)).status).toBe(201);
    const answers = new Map<string, number>();
    let over = false;
    const load = async (name: string, ask: () => Promise<Response>) => {
      while (!over) {
        const response = await ask();
        const text = response.status === 200 ? '' : await response.text();
        if (response.status === 200) await response.arrayBuffer();
        const answer = `${name} ${response.status}${text}`;
        answers.set(answer, (answers.get(answer) ?? 0) + 1);
      }
    };
    const clients = [0, 1, 2].flatMap(() => [
      load('protected', () => fetch(`${url}/protected`, { headers })),
      load('login', () => post('/login', bob)),
    ]);
    for (const index of [0, 1]) {
      instances[index]?.child.kill('SIGTERM');
      expect((await instances[index]?.exit)?.code).toBe(0);
      const before = total(answers);
      instances[index] = startInstance(index);
      await instances[index].listening;
      expect(total(answers)).toBeGreaterThan(before);
    }
    over = true;
    await Promise.all(clients);
    expect([...answers.keys()].sort()).toEqual(['login 200', 'protected 200']);
  });

  it('answer 503 in the API’s own shape when both are away', async () => {
    for (const { child, exit } of instances) {
      child.kill('SIGKILL');
      await exit;
    }
    const response = await fetch(`${url}/protected`);
    expect([response.status, response.headers.get('retry-after'), await response.json()]).toEqual([
      503,
      '5',
      { msg: 'The service is not available', code: 'unavailable' },
    ]);
  });
});

const total = (counts: Map<string, number>): number =>
  [...counts.values()].reduce((sum, count) => sum + count, 0);
