/**
 * `npm run test:image`: takes the steps of the Dockerfile without a container engine. Each stage is an
 * empty folder, the copies and commands are the Dockerfile's own (but for apt-get), and the program at
 * the end runs as another user, where this one is root, who can write to data/ alone.
 */
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const NOBODY = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
const context = process.cwd();
const root = mkdtempSync(join(tmpdir(), 'latchkey-image-'));
chmodSync(root, 0o755);
const stages = [];
let stage;
let command = [];
let health = [];

const lines = readFileSync('Dockerfile', 'utf8')
  .replaceAll(/^#.*\n/gm, '')
  .replaceAll('\\\n', ' ')
  .split('\n')
  .map((line) => line.trim())
  .filter(Boolean);

function run(line) {
  if (line.startsWith('apt-get')) return console.log('left out:', line);
  // Only root can give a folder to another user.
  const here = line.replace(
    '-o 1000 -g 1000',
    NOBODY.uid ? `-o ${NOBODY.uid} -g ${NOBODY.gid}` : '',
  );
  const env = { PATH: process.env.PATH, HOME: stage.folder, ...stage.env };
  // What this machine's npm needs to reach its registry, and what it has fetched already.
  for (const name of ['NODE_EXTRA_CA_CERTS', 'npm_config_cache']) {
    if (process.env[name]) env[name] = process.env[name];
  }
  // The compiled parts are built by the headers of the Node that runs this.
  env.npm_config_nodedir &&= dirname(dirname(process.execPath));
  offerCompiledSqlite(stage.folder);
  const { status } = spawnSync('sh', ['-c', here], { cwd: stage.app, env, stdio: 'inherit' });
  if (status !== 0) throw new Error(`failed: ${line}`);
}

/**
 * Offers the project's compiled sqlite3 to `npm ci` as the prebuilt one that it would download otherwise.
 * To compile it again takes more than a minute, and `npm ci` of the project has done the same.
 */
function offerCompiledSqlite(home) {
  const require = createRequire(import.meta.url);
  const folder = dirname(require.resolve('sqlite3/package.json'));
  const { name, version, binary } = require('sqlite3/package.json');
  const compiled = 'build/Release/node_sqlite3.node';
  if (!existsSync(join(folder, compiled))) return;
  const napi = Math.max(...binary.napi_versions);
  const file = `${name}-v${version}-napi-v${napi}-${process.platform}-${process.arch}.tar.gz`;
  spawnSync('tar', ['-czf', join(home, file), '-C', folder, compiled]);
  // prebuild-install looks for its settings in the home folder.
  writeFileSync(join(home, '.prebuild-installrc'), JSON.stringify({ 'local-prebuilds': home }));
}

function copy(line) {
  const [, from, list = ''] = /^(?:--from=(\S+) )?(.+)$/.exec(line) ?? [];
  const words = list.split(' ');
  const to = join(stage.app, words.pop() ?? '');
  for (const word of words) {
    const source = from
      ? join(stages.find(({ name }) => name === from).folder, word)
      : join(context, word);
    const into = list.endsWith('/') ? join(to, basename(word)) : to;
    mkdirSync(dirname(into), { recursive: true });
    cpSync(source, into, { recursive: true, verbatimSymlinks: true });
  }
}

for (const line of lines) {
  const [, word, rest = ''] = /^(\S+)\s+(.*)$/.exec(line) ?? [];
  console.log(`== ${line}`);
  if (word === 'FROM') {
    const folder = join(root, `stage-${stages.length}`);
    stage = { name: / AS (\S+)/.exec(rest)?.[1], folder, app: folder, env: {} };
    mkdirSync(folder);
    stages.push(stage);
  } else if (word === 'WORKDIR') {
    stage.app = join(stage.folder, rest);
    mkdirSync(stage.app, { recursive: true });
  } else if (word === 'ENV') {
    for (const pair of rest.split(' ')) stage.env[pair.split('=')[0]] = pair.split('=')[1];
  } else if (word === 'COPY') copy(rest);
  else if (word === 'RUN') run(rest);
  else if (word === 'CMD') command = JSON.parse(rest);
  else if (word === 'HEALTHCHECK') health = JSON.parse(rest.slice(rest.indexOf('CMD') + 4));
}

const free = createServer().listen(0);
const { port } = free.address();
await new Promise((closed) => free.close(closed));
const env = {
  PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
  ...stage.env,
  PORT: String(port),
  JWT_SECRET_KEY: randomBytes(48).toString('base64'),
  TRUST_PROXY: '1',
};
if (!NOBODY.uid) chownSync(join(stage.app, 'data'), process.getuid(), process.getgid());
const server = spawn(command[0], command.slice(1), {
  cwd: stage.app,
  env,
  stdio: 'inherit',
  ...NOBODY,
});
try {
  const healthy = () => spawnSync(health[0], health.slice(1), { env, ...NOBODY }).status === 0;
  if (healthy()) throw new Error('healthy before it listens');
  for (let left = 60; !healthy(); left--) {
    if (left === 0 || server.exitCode !== null) throw new Error('it does not become healthy');
    await sleep(500);
  }
  const ada = JSON.stringify({ username: 'ada', password: 'correct horse battery staple' });
  for (const [path, expected] of [
    ['register', 201],
    ['login', 200],
  ]) {
    const headers = { 'content-type': 'application/json' };
    const url = `http://127.0.0.1:${port}/${path}`;
    const { status } = await fetch(url, { method: 'POST', headers, body: ada });
    if (status !== expected) throw new Error(`${path} answered ${status}`);
  }
  const stopped = new Promise((over) => server.once('exit', over));
  server.kill('SIGTERM');
  if ((await stopped) !== 0) throw new Error('it did not stop cleanly');
  console.log('== the image would hold: healthy, a registration, a login, a clean stop');
} finally {
  server.kill('SIGKILL');
  rmSync(root, { recursive: true, force: true });
}
