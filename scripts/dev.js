/** `npm run start:dev`: compiles on every change of a source and restarts what was compiled. */
import { spawn } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';

const run = (...args) => spawn(process.execPath, args, { stdio: 'inherit' });
const tsc = ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'];

rmSync('dist', { recursive: true, force: true });
run(...tsc).once('exit', (code) => {
  if (code !== 0) process.exit(code ?? 1);
  cpSync('templates', 'dist/templates', { recursive: true });
  const children = [
    run(...tsc, '--watch', '--preserveWatchOutput'),
    run('--watch', 'dist/src/main.js'),
  ];
  for (const child of children) {
    child.once('exit', (status) => {
      for (const other of children) other.kill();
      process.exitCode = status ?? 1;
    });
  }
});
