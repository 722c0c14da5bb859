import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

/** The files of a clone that the tests need. */
const FILES = [
  ...['src', 'dist', 'test', 'templates', 'scripts', 'bin', 'examples', 'ormconfig.ts'],
  ...['package.json', 'tsconfig.json', 'tsconfig.build.json', 'tsconfig.browser.json'],
  ...['.swcrc', '.prettierrc'],
  ...['.prettierignore', '.gitignore', 'eslint.config.js', 'jest.config.js', 'README.md', 'docs'],
];

/** A program that runs in a copy of the project. */
export interface Running {
  child: ChildProcess;
  /** What it has written so far. */
  output(): string;
  /** Resolves when it has written what `pattern` matches, after the first `from` characters. */
  said(pattern: RegExp, from?: number): Promise<RegExpExecArray>;
  /** Resolves when it and all that share its output have ended. */
  exit: Promise<{ code: number | null; output: string }>;
}

/** A copy of the project, as a user has it after `git clone` and `npm ci`. */
export type Project = Awaited<ReturnType<typeof copyProject>>;

export async function copyProject() {
  const dir = await mkdtemp(join(tmpdir(), 'latchkey-clone-'));
  for (const file of FILES) await cp(file, join(dir, file), { recursive: true });
  await symlink(resolve('node_modules'), join(dir, 'node_modules'));
  const running = new Set<ChildProcess>();

  /** Runs a program as the leader of a process group of its own, as a terminal does. */
  function run(command: string, args: string[], env: Record<string, string> = {}): Running {
    const PATH = `${dirname(process.execPath)}:${process.env.PATH ?? ''}`;
    const home = process.env.HOME ?? dir;
    const child = spawn(command, args, {
      cwd: dir,
      detached: true,
      env: { PATH, HOME: home, PORT: '0', BCRYPT_COST: '4', ...env },
    });
    running.add(child);
    let output = '';
    let told: () => void = () => undefined;
    const read = (data: Buffer) => {
      output += data.toString();
      told();
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    let over = false;
    const exit = once(child, 'close').then(([code]) => {
      over = true;
      told();
      return { code: code as number | null, output };
    });
    return {
      child,
      exit,
      output: () => output,
      async said(pattern, from = 0) {
        for (;;) {
          const found = pattern.exec(output.slice(from));
          if (found) return found;
          if (over) throw new Error(`It ended without saying ${pattern.source}: ${output}`);
          await new Promise<void>((next) => (told = next));
        }
      },
    };
  }

  return {
    dir,
    run,
    read: (file: string) => readFile(join(dir, file), 'utf8'),
    async remove() {
      for (const child of running) {
        const { pid, exitCode, signalCode } = child;
        if (exitCode !== null || signalCode !== null || pid === undefined) continue;
        const ended = once(child, 'close');
        process.kill(-pid, 'SIGKILL');
        await ended;
      }
      await rm(dir, { recursive: true, force: true });
    },
  };
}
