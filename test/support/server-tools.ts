import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';

/** What a program that has ended answered. */
export interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
}

/**
 * Runs a built program of `src/operations` in `cwd` with `env` and nothing else of this process's
 * environment. `watch` is called with what it has written to the standard error whenever that grows.
 * `input` is what it finds on its standard input.
 */
export async function runTool(
  cwd: string,
  tool: string,
  args: string[],
  env: Record<string, string> = {},
  watch: (stderr: string, kill: () => void) => void = () => undefined,
  input: string | Buffer = '',
): Promise<Outcome> {
  const child = spawn(process.execPath, [resolve(`dist/src/operations/${tool}.js`), ...args], {
    cwd,
    env: { PATH: process.env.PATH, ...env },
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
