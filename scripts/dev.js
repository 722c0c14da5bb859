/**
 * `npm run start:dev`: runs the server, and starts it anew when a source, a template or `.env` changes.
 * Sources are compiled one by one, without their types, so that the server answers at once; the compiler
 * checks the types beside it, and what it finds does not stop the server.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { watch } from 'node:fs';
import { setPriority } from 'node:os';
import compilerPath from '../node_modules/typescript-7/lib/getExePath.js';
import { expectSupportedNode } from '../src/node-version.js';
import { compile, compileAll, copyTemplates } from './compile.js';
import { isSource } from './sources.js';

expectSupportedNode();

/** Changes within this time cause one restart, in milliseconds. */
const TOGETHER = 150;

const run = (...args) => spawn(process.execPath, args, { stdio: 'inherit' });

let server;
let stopping = false;

function startServer() {
  const started = run('dist/src/main.js');
  server = started;
  started.once('exit', () => {
    if (server !== started) return;
    server = undefined;
    if (!stopping) console.error('The server has ended. It starts again after the next change.');
  });
}

async function restart() {
  const running = server;
  server = undefined;
  if (running && running.exitCode === null && running.signalCode === null) {
    const exited = once(running, 'exit');
    running.kill('SIGINT');
    await exited;
  }
  if (!stopping) startServer();
}

const changed = new Set();
let timer;
let working = Promise.resolve();

function note(file) {
  changed.add(file);
  clearTimeout(timer);
  timer = setTimeout(() => {
    working = working.then(apply).catch((error) => console.error(error.message));
  }, TOGETHER);
}

async function apply() {
  const files = [...changed];
  changed.clear();
  if (files.some((file) => file.startsWith('templates/'))) copyTemplates();
  // The entry too: a build beside this program replaces it by the joined modules.
  const sources = new Set([...files.filter(isSource), 'src/server.ts']);
  const compiled = await Promise.all([...sources].map(compile));
  if (compiled.every(Boolean)) await restart();
}

await compileAll();
startServer();

for (const folder of ['src', 'templates']) {
  watch(folder, { recursive: true }, (_event, name) => {
    const file = `${folder}/${name}`;
    if (folder === 'templates' || isSource(file)) note(file);
  });
}
watch('.', (_event, name) => {
  if (name === '.env') note(name);
});

// The compiler is a native program. On Node 20, its script would start it as a child, which outlives the script.
const types = spawn(
  compilerPath(),
  ['-p', 'tsconfig.build.json', '--noEmit', '--watch', '--preserveWatchOutput'],
  { stdio: 'inherit' },
);
// The server's requests come first.
setPriority(types.pid, 10);

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    stopping = true;
    types.kill();
    if (!server) process.exit(0);
    // From a terminal the server has the signal already, and takes both for one.
    server.once('exit', (code) => process.exit(code ?? 1));
    server.kill(signal);
  });
}
