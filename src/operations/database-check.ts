import { existsSync } from 'node:fs';
import { DataSource, type QueryRunner } from 'typeorm';
import { auditFault } from '../audit-chain/audit-state.js';
import { isLoopbackHost } from '../common/network.js';
import type { Config } from '../config/config.js';
import { copyPosition } from '../database/copy-marker.js';
import { isUnixSocket } from '../config/postgres-tls.js';
import { databaseOptions, sqlitePath } from '../database/database.options.js';
import { isEarlierDatabase, migrationState, MOVE_ADVICE } from '../database/migration-state.js';
import type { Tables } from '../database/tables.js';
import { Keyring } from '../keys/keyring.js';
import { fail, type Finding, ok, warn } from '../common/finding.js';

/**
 * Other services refuse our tokens if the clocks differ by more than this, in milliseconds. Latchkey itself
 * goes by the database's clock.
 */
const TOLERANCE = 30_000;
const NOTICEABLE = 1_000;

/** Checks the database of the settings. It only reads, and makes no database. */
export async function checkDatabase(config: Config, tables: Tables): Promise<Finding[]> {
  const check = 'database';
  const url = config.databaseUrl;
  const path = sqlitePath(url);
  if (path !== undefined && !existsSync(path)) {
    return [ok(check, `the first start creates ${path}`)];
  }
  let dataSource: DataSource | undefined;
  try {
    dataSource = new DataSource(databaseOptions(url, tables));
    await dataSource.initialize();
    const runner = dataSource.createQueryRunner();
    const migrations = await checkMigrations(runner);
    const found = [migrations];
    if (migrations.status === 'ok') {
      found.push(...(await checkAudit(runner, config)));
      found.push(...(await checkRooms(runner, config, tables)));
    }
    if (path === undefined) {
      found.push(...(await checkServer(runner)));
      found.push(await checkClock(runner), await checkEncryption(runner, url));
    }
    await runner.release();
    return found;
  } catch (error) {
    const message = `cannot be reached: ${error instanceof Error ? error.message : ''}`;
    return [fail(check, message, 'check that it runs and that DATABASE_URL is right')];
  } finally {
    if (dataSource?.isInitialized) await dataSource.destroy();
  }
}

/** Checks that the audit's keys open, and that its ends are as a server left them. */
async function checkAudit(runner: QueryRunner, config: Config): Promise<Finding[]> {
  if (!(await runner.hasTable('audit_keys'))) return [];
  const fault = await auditFault(new Keyring(config), runner.manager);
  if (fault === undefined) return [];
  const advice = 'the secret has changed, or the database was tampered with: see docs/audit.md';
  return [fail('audit', fault, advice)];
}

/** Makes the checks of the rooms, unless the database is still empty. */
async function checkRooms(
  runner: QueryRunner,
  config: Config,
  { checks = [] }: Tables,
): Promise<Finding[]> {
  if (!(await runner.hasTable('users'))) return [];
  const found: Finding[] = [];
  for (const check of checks) found.push(...(await check(runner.manager, config)));
  return found;
}

async function checkMigrations(runner: QueryRunner): Promise<Finding> {
  const check = 'database';
  if (await copyPosition(runner)) {
    return fail(check, 'holds an unfinished copy', 'run npx latchkey db copy again');
  }
  if (await isEarlierDatabase(runner)) {
    return fail(check, 'was made by a version of Latchkey before 0.1.0', MOVE_ADVICE);
  }
  const { behind, ahead } = await migrationState(runner);
  if (ahead.length > 0) {
    const message = `was migrated by a newer Latchkey: ${ahead.join(', ')}`;
    return fail(check, message, 'run the newer version');
  }
  if (behind.length === runner.connection.migrations.length) {
    return ok(check, 'is empty: the first start creates its tables');
  }
  if (behind.length > 0) {
    const message = `lacks ${behind.length} migrations: ${behind.join(', ')}`;
    return fail(check, message, 'start the server, or run npx latchkey migration run');
  }
  return ok(check, 'answers, and has all migrations');
}

/** Checks the states that only PostgreSQL has. Returns no finding if all is well. */
async function checkServer(runner: QueryRunner): Promise<Finding[]> {
  const check = 'database';
  const found: Finding[] = [];
  const [state] = (await runner.query(
    `SELECT current_setting('transaction_read_only') AS read_only, current_setting('fsync') AS fsync`,
  )) as { read_only: string; fsync: string }[];
  if (state?.read_only === 'on') {
    const advice = 'set DATABASE_URL to the primary, or turn default_transaction_read_only off';
    found.push(fail(check, 'is read-only', advice));
  }
  if (state?.fsync === 'off') {
    const advice =
      'set fsync = on: a crash of the machine may lose acknowledged changes, or the database';
    found.push(fail(check, 'does not write changes through to the disk', advice));
  }
  const guarded = (await runner.query(
    `SELECT relname AS name FROM pg_class
     WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' AND relrowsecurity
     ORDER BY 1`,
  )) as { name: string }[];
  if (guarded.length > 0) {
    const names = guarded.map(({ name }) => name).join(', ');
    const advice = 'turn row security off for these tables: Latchkey has to see every row';
    found.push(warn(check, `has row security on ${names}`, advice));
  }
  return found;
}

async function checkClock(runner: QueryRunner): Promise<Finding> {
  const before = Date.now();
  const [row] = (await runner.query(
    'SELECT extract(epoch FROM clock_timestamp()) * 1000 AS millis',
  )) as { millis: string }[];
  const after = Date.now();
  return clockFinding(Number(row?.millis), before, after);
}

/** Compares the database's time with this machine's time before and after the question, in milliseconds. */
export function clockFinding(database: number, before: number, after: number): Finding {
  const check = 'clock';
  const off = Math.max(before - database, database - after, 0);
  const message = `${(off / 1000).toFixed(1)} s off the database's`;
  const advice = 'synchronise both machines by NTP';
  if (off > TOLERANCE) return fail(check, message, advice);
  if (off > NOTICEABLE) return warn(check, message, advice);
  return ok(check, 'agrees with the database');
}

/** Returns whether the database of a `postgres://` URL is on this machine. Without a host it is. */
function isHere(url: string): boolean {
  const { hostname } = new URL(url);
  return isUnixSocket(url) || hostname === '' || isLoopbackHost(hostname);
}

async function checkEncryption(runner: QueryRunner, url: string): Promise<Finding> {
  const check = 'encryption';
  const [row] = (await runner.query(
    'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()',
  )) as { ssl: boolean }[];
  if (row?.ssl) return ok(check, 'the connection to the database has TLS');
  if (isHere(url)) {
    return ok(check, 'the database is on this machine');
  }
  const message = 'password hashes cross the network to the database without TLS';
  return warn(
    check,
    message,
    'add ?sslmode=verify-full to DATABASE_URL, unless you trust the network',
  );
}
