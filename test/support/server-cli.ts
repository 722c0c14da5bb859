import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { type Outcome, runTool } from './server-tools.js';
import { SECRET, type Server } from './server.js';

/** What a command is run with beside its arguments. */
export interface CommandOptions {
  env?: Record<string, string>;
  /** The standard input. */
  input?: string | Buffer;
  /** Told what the command has written to the standard error; it has a process of its own then. */
  watch?: (stderr: string, kill: () => void) => void;
  /** Starts a process for this command alone, which runs beside others. */
  ownProcess?: boolean;
}

/** Runs `latchkey …` in another process beside `server`, on its database. */
export function latchkey(
  server: Server,
  args: string[],
  { env = {}, input = '', watch, ownProcess }: CommandOptions = {},
): Promise<Outcome> {
  const cwd = server.database.dataDir;
  const settings = {
    DATABASE_URL: server.database.url,
    DATA_DIR: cwd,
    JWT_SECRET_KEY: SECRET,
    BCRYPT_COST: '4',
    ...env,
  };
  if (watch || ownProcess || env.NODE_OPTIONS) {
    return runTool(cwd, args, settings, watch, input);
  }
  return runInHost(cwd, args, settings, input);
}

let host: ChildProcess | undefined;
let asked = 0;

/** Starts the process that runs commands. It ends when this one does. */
function startHost(): ChildProcess {
  const started = fork(resolve('test/support/cli-host.js'), { serialization: 'advanced' });
  started.setMaxListeners(0).unref();
  started.channel?.unref();
  return started.once('exit', () => (host = undefined));
}

/**
 * Runs `latchkey …` as {@link runTool} does, but in a process that has the program loaded, after those asked for
 * before. To load it takes a second of processor time.
 */
export async function runInHost(
  cwd: string,
  args: string[],
  settings: Record<string, string> = {},
  input: string | Buffer = '',
): Promise<Outcome> {
  const env = { PATH: process.env.PATH, ...settings };
  host ??= startHost();
  const id = asked++;
  const over = new AbortController();
  const answered = new Promise<Outcome>((done) => {
    const listen = (answer: { id: number; outcome: Outcome }) => {
      if (answer.id !== id) return;
      host?.off('message', listen);
      done(answer.outcome);
    };
    host?.on('message', listen);
  });
  const died = once(host, 'exit', over).then(() => {
    throw new Error('the process that runs commands has ended');
  });
  host.send({ id, args, cwd, env, input });
  try {
    return await Promise.race([answered, died]);
  } finally {
    over.abort();
    died.catch(() => undefined);
  }
}
