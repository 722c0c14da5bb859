import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { COMPILE_CACHE } from './server-process.js';

const LATCHKEY = resolve('dist/src/latchkey.js');

/** What a program that has ended answered. */
export interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
}

/**
 * Runs the built `latchkey` with `args` in `cwd`. Of this process's environment it gets `PATH` alone, and
 * `env`. `watch` is called with the whole standard error whenever that grows. `input` is its standard input.
 */
export async function runTool(
  cwd: string,
  args: string[],
  env: Record<string, string> = {},
  watch: (stderr: string, kill: () => void) => void = () => undefined,
  input: string | Buffer = '',
): Promise<Outcome> {
  const child = spawn(process.execPath, [LATCHKEY, ...args], {
    cwd,
    env: { PATH: process.env.PATH, NODE_COMPILE_CACHE: COMPILE_CACHE, ...env },
  });
  // One that ends before it has read everything.
  child.stdin.on('error', () => undefined).end(input);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (data: Buffer) => (stdout += data.toString()));
  child.stderr.on('data', (data: Buffer) => {
    stderr += data.toString();
    watch(stderr, () => child.kill('SIGKILL'));
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}
