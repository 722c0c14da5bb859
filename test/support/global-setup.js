import 'reflect-metadata';
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, rmdirSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataSource } from 'typeorm';
import { compileAll, compileTests } from '../../scripts/compile.js';
import { onServer } from './on-server.js';

/**
 * Compiles the server and the tests, and makes the databases that the tests copy. Then it lists the tests that this
 * machine cannot run, so that no test is skipped in silence.
 */
export default async function prepare() {
  const built = process.env.E2E_TARGET === 'dist' || (await compileAll());
  if (!built || !(await compileTests())) {
    throw new Error('A source cannot be compiled');
  }
  await makeTemplates();
  if (!process.env.TEST_DATABASE_URL) {
    console.log('\nLeft out: the end-to-end tests on PostgreSQL (TEST_DATABASE_URL is not set)');
  }
  if (!process.env.TEST_REDIS_URL) {
    console.log('\nLeft out: the rate limits on Redis (TEST_REDIS_URL is not set)');
  }
  if (!Object.values(networkInterfaces()).some((at) => at?.some((own) => own.address === '::1'))) {
    console.log('\nLeft out: localhost by IPv6 (this machine has none)');
  }
  if (canMount()) process.env.TEST_MOUNT = 'yes';
  else console.log('\nLeft out: a full disk (only root may mount one)');
  const programs = postgresPrograms();
  if (!folders().some((folder) => existsSync(join(folder, 'openssl')))) {
    console.log('\nLeft out: PostgreSQL with TLS (openssl is not installed here)');
  } else process.env.TEST_OPENSSL = 'yes';
  if (programs) process.env.TEST_POSTGRES_BIN = programs;
  else
    console.log('\nLeft out: stopping and starting a PostgreSQL server (it is not installed here)');
  if (process.env.TEST_DATABASE_URL && spawnSync('pg_dump', ['--version']).status !== 0) {
    console.log('\nLeft out: restoring a backup of PostgreSQL (pg_dump is not here)');
  }
  const browsers = [process.env.TEST_CHROMIUM ?? '', '/usr/bin/chromium'];
  const browser = browsers.find((file) => existsSync(file));
  if (browser) process.env.TEST_CHROMIUM = browser;
  else console.log('\nLeft out: the pages in a browser (chromium is not installed here)');
  const bouncers = [...folders(), '/usr/sbin'].map((folder) => join(folder, 'pgbouncer'));
  const bouncer = bouncers.find((file) => existsSync(file));
  if (bouncer) process.env.TEST_PGBOUNCER = bouncer;
  else console.log('\nLeft out: a pooler before PostgreSQL (pgbouncer is not installed here)');
  const faketime = '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1';
  if (existsSync(faketime)) process.env.TEST_FAKETIME = faketime;
  else console.log('\nLeft out: machines with wrong clocks (faketime is not installed here)');
  const oathtool = found('oathtool');
  if (oathtool) process.env.TEST_OATHTOOL = oathtool;
  else console.log('\nLeft out: codes of another program (oathtool is not installed here)');
  const zbarimg = found('zbarimg');
  if (zbarimg) process.env.TEST_ZBARIMG = zbarimg;
  else console.log('\nLeft out: reading QR codes (zbar-tools is not installed here)');
  const proxy = [...folders(), '/usr/sbin'].find((folder) => existsSync(join(folder, 'nginx')));
  if (proxy) process.env.TEST_NGINX = join(proxy, 'nginx');
  else console.log('\nLeft out: two instances behind nginx (it is not installed here)');
  if (!process.env.TEST_LONG) {
    console.log('\nLeft out: tests that take long (TEST_LONG is not set; npm run test:long)');
  }
  if (!process.env.CORPORA_DIR) {
    console.log('\nLeft out: the public test vectors (CORPORA_DIR is not set)');
  }
}

/** The folder of `initdb` and `pg_ctl`: of the search path, or where Debian keeps them. */
function postgresPrograms() {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).sort().reverse() : [];
  const debians = versions.map((version) => join(debian, version, 'bin'));
  return [...folders(), ...debians].find((folder) => existsSync(join(folder, 'initdb')));
}

/** The path of a program of the search path. */
const found = (program) =>
  folders()
    .map((folder) => join(folder, program))
    .find((file) => existsSync(file));

const folders = () => (process.env.PATH ?? '').split(':');

/** Whether a small file system may be mounted, to be filled up. */
function canMount() {
  const dir = mkdtempSync(join(tmpdir(), 'latchkey-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', dir], { stdio: 'ignore' });
    execFileSync('umount', [dir]);
    return true;
  } catch {
    return false;
  } finally {
    rmdirSync(dir);
  }
}

/** Makes a database of each kind whose migrations are run. Tests copy it, which takes less time than to run them. */
async function makeTemplates() {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-template-'));
  process.env.TEST_SQLITE_TEMPLATE = join(folder, 'test.sqlite');
  await migrate(`sqlite:${process.env.TEST_SQLITE_TEMPLATE}`);
  const server = process.env.TEST_DATABASE_URL;
  if (!server) return;
  // To write each block of a new database to the log takes twice as long. Earlier versions copy the files, too.
  const [version] = await onServer(
    server,
    `SELECT current_setting('server_version_num') AS number`,
  );
  if (Number(version.number) >= 150_000) process.env.TEST_COPY = 'STRATEGY FILE_COPY';
  const name = `latchkey_template_${randomBytes(8).toString('hex')}`;
  await onServer(server, `CREATE DATABASE ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  await migrate(url.href);
  process.env.TEST_TEMPLATE = name;
}

async function migrate(url) {
  const { databaseOptions } = await import('../../dist/src/database/database.options.js');
  const { latchkey } = await import('../../dist/src/app.module.js');
  const { tablesWith } = await import('../../dist/src/tables.js');
  const dataSource = await new DataSource(databaseOptions(url, tablesWith(latchkey))).initialize();
  await dataSource.runMigrations();
  await dataSource.destroy();
}
