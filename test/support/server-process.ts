import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';

const MAIN = resolve('dist/src/main.js');
/** Where Node keeps what it has compiled: a start takes a fifth less. Node writes it when a process ends by itself. */
export const COMPILE_CACHE = resolve('node_modules/.cache/compiled');

/** The built program, running. */
export interface ServerProcess {
  child: ChildProcess;
  /** Resolves to its address; rejects where it ends before it listens. */
  listening: Promise<string>;
  /** Resolves when it has ended. */
  exit: Promise<{ code: number; output: string }>;
  /** What it has written so far. */
  output(): string;
}

/**
 * Starts the built program in `cwd` with `env` and nothing else of this process's environment. `command` holds
 * Node's options and another program to start.
 */
export function startProcess(
  cwd: string,
  env: Record<string, string>,
  command: string[] = [MAIN],
): ServerProcess {
  const child = spawn(process.execPath, command, {
    cwd,
    env: {
      PATH: process.env.PATH,
      NODE_COMPILE_CACHE: COMPILE_CACHE,
      PORT: '0',
      BCRYPT_COST: '4',
      ...env,
    },
  });
  let output = '';
  const exit = once(child, 'close').then(([code]) => ({ code: code as number, output }));
  let url: string | undefined;
  const listening = new Promise<string>((found, failed) => {
    const read = (data: Buffer) => {
      output += data.toString();
      url ??= /Server listening at (http:\/\/[\w.:]+)/.exec(output)?.[1];
      if (url) found(url);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    exit.then(({ code }) => {
      failed(new Error(`exited with ${code}: ${output}`));
    }, failed);
  });
  listening.catch(() => undefined);
  return { child, exit, listening, output: () => output };
}

/**
 * Kills a process that a test started, and resolves when it has ended. Jest warns of a worker that still has
 * a child at its end.
 */
export async function kill(child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'close');
  child.kill(signal);
  await ended;
}

/**
 * Starts the built program as {@link startProcess} does, until `killAll` has ended all of them: a test that
 * failed while it went on leaves none behind.
 */
export function processes() {
  const running = new Set<ServerProcess>();
  let over = false;
  return {
    start(cwd: string, env: Record<string, string>, command?: string[]): ServerProcess {
      if (over) throw new Error('the test is over');
      const started = startProcess(cwd, env, command);
      running.add(started);
      void started.exit.then(() => running.delete(started));
      return started;
    },
    async killAll(): Promise<void> {
      over = true;
      await Promise.all([...running].map(({ child }) => kill(child)));
    },
  };
}
