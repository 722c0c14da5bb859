import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import module from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { type Child, startChild } from './child.js';

/** The secret that Latchkey and its peers sign with, so that one token is good for all of them. */
export const SECRET = 'a benchmark secret of more than sixty-four bytes: 0123456789 abcdefghij';

/** The user that signs in. */
export const USER = { username: 'ada', password: 'correct horse battery staple' };

/** A user who reads while {@link USER} signs in. Each user has a largest number of sessions, so logins end older ones. */
export const READER = { username: 'bea', password: 'correct horse battery staple' };

const LATCHKEY = 'dist/src/main.js';

/** The servers in `bench/peers`. Each file says what its server does and leaves out. */
export type Peer =
  | 'better-auth'
  | 'fastify-fast-jwt'
  | 'fastify-same-duties'
  | 'nest-bare'
  | 'nest-docs'
  | 'nest-typeorm';

/** Whether this Node has the SQLite that the peer better-auth uses. */
export const hasNodeSqlite = module.builtinModules.includes('node:sqlite');

/** The PostgreSQL server in which databases may be made; undefined if none was named. */
export const postgresServer = process.env.TEST_DATABASE_URL;

/** The Redis server that two servers share; empty if none was named. */
export const redisServer = process.env.TEST_REDIS_URL ?? '';

const stages = new Set<Stage>();

/** The processes, the folder and the databases of one part. They are removed when it ends. */
export class Stage {
  readonly dir = mkdtempSync(join(tmpdir(), 'latchkey-bench-'));
  private readonly children: Child[] = [];
  private readonly undo: (() => Promise<void> | void)[] = [];

  constructor(
    /** Cost of password hashes. */
    readonly cost: number,
    /** The flags of Node in each process. */
    private readonly flags: string[] = [],
    /** The program of Node that runs each process. */
    private readonly node = process.execPath,
  ) {
    stages.add(this);
  }

  /**
   * Starts Latchkey in production, but without rate limits: all clients have one address, so the limits would
   * refuse them. Its log, by default a line for each request, goes to /dev/null. `checkout` is the folder of
   * another version.
   */
  latchkey(name: string, env: Record<string, string> = {}, checkout = '.'): Promise<Child> {
    return this.start(name, join(checkout, LATCHKEY), {
      NODE_ENV: 'production',
      // As `npm start` and the image set it.
      MALLOC_ARENA_MAX: '2',
      RATE_LIMITS: 'off',
      JWT_SECRET_KEY: SECRET,
      BCRYPT_COST: String(this.cost),
      ...env,
    });
  }

  /**
   * Like {@link latchkey}, but a password may wait for a minute before the server refuses it, and `audit` can be
   * off. No setting changes these.
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

  /** Makes a database on the PostgreSQL server, and returns its URL. */
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

  /** Closes the stages of all parts under way. */
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
      node: this.node,
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
