import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import module from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { type Child, startChild } from './child.js';

/** The secret that Latchkey and its peers sign with, so that one token is good for all of them. */
export const SECRET = 'a benchmark secret of more than sixty-four bytes: 0123456789 abcdefghij';

/** What everybody here signs in with. */
export const USER = { username: 'ada', password: 'correct horse battery staple' };

/** A user who reads while {@link USER} signs in. Each user has a largest number of sessions, so logins end older ones. */
export const READER = { username: 'bea', password: 'correct horse battery staple' };

const LATCHKEY = 'dist/src/main.js';

/** The servers in `bench/peers`. Each file states its duties and its omissions. */
export type Peer =
  | 'better-auth'
  | 'fastify-fast-jwt'
  | 'fastify-same-duties'
  | 'nest-bare'
  | 'nest-docs'
  | 'nest-typeorm';

/** Whether this Node has the SQLite that the peer better-auth uses. */
export const hasNodeSqlite = module.builtinModules.includes('node:sqlite');

/** Whether a PostgreSQL server was named that databases may be made in. */
export const postgresServer = process.env.TEST_DATABASE_URL;

/** The Redis server that two servers share; empty if none was named. */
export const redisServer = process.env.TEST_REDIS_URL ?? '';

const stages = new Set<Stage>();

/** What one part needs, taken away when it ends: processes, a folder, databases. */
export class Stage {
  readonly dir = mkdtempSync(join(tmpdir(), 'latchkey-bench-'));
  private readonly children: Child[] = [];
  private readonly undo: (() => Promise<void> | void)[] = [];

  constructor(
    /** Cost of password hashes. */
    readonly cost: number,
    /** What Node is told in each of its processes. */
    private readonly flags: string[] = [],
  ) {
    stages.add(this);
  }

  /**
   * Starts Latchkey as its user would, in production, but without rate limits, which one address that
   * is everybody would only measure. Its log, by default a line a request, is written to /dev/null.
   * `checkout` is the folder of another version.
   */
  latchkey(name: string, env: Record<string, string> = {}, checkout = '.'): Promise<Child> {
    return this.start(name, join(checkout, LATCHKEY), {
      NODE_ENV: 'production',
      RATE_LIMITS: 'off',
      JWT_SECRET_KEY: SECRET,
      BCRYPT_COST: String(this.cost),
      ...env,
    });
  }

  /**
   * As {@link latchkey}, but a password waits for a minute before the server refuses it, and `audit` can be off.
   * No setting changes either.
   */
  patient(
    name: string,
    audit: 'on' | 'off' = 'on',
    env: Record<string, string> = {},
  ): Promise<Child> {
    return this.start(name, 'dist/bench/peers/latchkey-patient.js', {
      NODE_ENV: 'production',
      RATE_LIMITS: 'off',
      JWT_SECRET_KEY: SECRET,
      BCRYPT_COST: String(this.cost),
      AUDIT: audit,
      ...env,
    });
  }

  /** Starts one of the servers in `bench/peers`, in production. */
  peer(name: Peer): Promise<Child> {
    return this.start(name, `dist/bench/peers/${name}.js`, {
      NODE_ENV: 'production',
      SECRET,
      COST: String(this.cost),
      USERNAME: USER.username,
      PASSWORD: USER.password,
    });
  }

  /** A database of its own on the PostgreSQL server; the URL. */
  async postgres(): Promise<string> {
    const name = `latchkey_bench_${randomBytes(6).toString('hex')}`;
    await onServer(`CREATE DATABASE ${name}`);
    this.finally(() => onServer(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));
    const url = new URL(postgresServer ?? '');
    url.pathname = `/${name}`;
    return url.href;
  }

  /** Does `undo` when the part ends. */
  finally(undo: () => Promise<void> | void): void {
    this.undo.push(undo);
  }

  /** Takes away what there is of every part under way. */
  static async closeAll(): Promise<void> {
    await Promise.all([...stages].map((stage) => stage.close()));
  }

  async close(): Promise<void> {
    stages.delete(this);
    await Promise.all(this.children.map((child) => child.stop()));
    for (const undo of this.undo.reverse()) await undo();
    rmSync(this.dir, { recursive: true, force: true });
  }

  private async start(name: string, file: string, env: Record<string, string>): Promise<Child> {
    const dir = join(this.dir, `${name}-${this.children.length}`.replaceAll(/\W+/g, '-'));
    mkdirSync(dir, { recursive: true });
    const child = await startChild({
      name,
      file,
      cwd: dir,
      env: { DATA_DIR: dir, ...env },
      flags: this.flags,
    });
    this.children.push(child);
    return child;
  }
}

async function onServer(statement: string): Promise<void> {
  const client = new Client({ connectionString: postgresServer });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
