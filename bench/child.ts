import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';

/** How long a server may take to its first answer and to its end, in milliseconds. */
const START_TIME = 60_000;
const STOP_TIME = 15_000;

/** A server in a process of its own, on a free port of 127.0.0.1. */
export interface Child {
  name: string;
  url: string;
  /** Its working directory. */
  cwd: string;
  /** Milliseconds from its start to its first answer. */
  started: number;
  /** Milliseconds of processor time used so far, by all its threads; NaN where there is no /proc. */
  cpu(): number;
  /** Resident memory, in MiB. */
  memory(): number;
  /** Ends it; resolves when it has. */
  stop(): Promise<void>;
}

/** Starts a built program that listens on `PORT`, with `env` alone, and waits for its first answer. */
export async function startChild(of: {
  name: string;
  file: string;
  cwd: string;
  env: Record<string, string>;
  /** The program of Node, and its flags. */
  node?: string;
  flags?: string[];
}): Promise<Child> {
  const port = await freePort();
  const began = performance.now();
  const child = spawn(of.node ?? process.execPath, [...(of.flags ?? []), resolve(of.file)], {
    cwd: of.cwd,
    env: { PATH: process.env.PATH, HOST: '127.0.0.1', PORT: String(port), ...of.env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let complaints = '';
  child.stderr.on('data', (data: Buffer) => {
    complaints = (complaints + data.toString()).slice(-10_000);
  });
  const ended = once(child, 'exit');
  const state = { ended: false };
  void ended.then(() => (state.ended = true));
  // The servers do not outlive this process, however it ends.
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  while (!(await answers(port))) {
    const late = performance.now() - began > START_TIME;
    if (late) kill();
    if (late || state.ended) throw new Error(`${of.name} did not start:\n${complaints}`);
    await setTimeout(5);
  }
  const pid = child.pid ?? 0;
  return {
    name: of.name,
    url: `http://127.0.0.1:${port}`,
    cwd: of.cwd,
    started: performance.now() - began,
    cpu: () => processorTime(pid),
    memory: () => Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)])) / 1024,
    stop: async () => {
      child.kill('SIGTERM');
      const wait = new AbortController();
      await Promise.race([ended, setTimeout(STOP_TIME, undefined, wait).catch(() => undefined)]);
      wait.abort();
      kill();
      process.off('exit', kill);
    },
  };
}

function answers(port: number): Promise<boolean> {
  return new Promise((done) => {
    const asked = request({ host: '127.0.0.1', port, path: '/health/live', agent: false });
    asked.once('response', (response) => {
      response.resume();
      done(true);
    });
    asked.once('error', () => {
      done(false);
    });
    asked.end();
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}

/** Returns the processor time of a process, all threads together, in milliseconds; NaN where there is no /proc. */
export function processorTime(pid: number): number {
  try {
    // The name, in parentheses, may hold spaces. Then fields 3 and on of proc(5); ticks of 10 ms.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    return Number.NaN;
  }
}
