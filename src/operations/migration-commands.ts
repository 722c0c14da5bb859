import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { type Command, createCommand } from 'commander';
import { DataSource } from 'typeorm';
import { databaseUrl } from '../config/config.js';
import { clock } from '../common/clock.js';
import { databaseOptions, migrationOptions } from '../database/database.options.js';
import { migrate } from '../database/migrate.js';
import { migrationState } from '../database/migration-state.js';
import type { Tables } from '../database/tables.js';
import { CliError, EXIT } from './exit.js';
import { draftMigration } from './migration-draft.js';
import { print } from './print.js';

/** `migration generate|run|revert`: writes a migration, runs the new ones, or takes the last one back. */
export function migrationCommands(tables: Tables): Command[] {
  return [
    createCommand('generate')
      .description('write a migration for changed entities')
      .argument('<path>', 'its folder and name: src/cats/add-age')
      .action((path: string) => generate(path, tables)),
    createCommand('run')
      .description('run the migrations that the database lacks')
      .action(() => onDatabase(tables, runNew)),
    createCommand('revert')
      .description('revert the last migration')
      .action(() => onDatabase(tables, revertLast)),
  ];
}

/** Compares the entities with all migrations on a database of its own, and writes the difference. */
async function generate(path: string, tables: Tables): Promise<void> {
  const name = basename(path, '.ts');
  if (!/^[a-z][\w-]*$/i.test(name))
    throw new CliError(`${name} is not a valid name: use one such as add-age`, EXIT.usage);
  const time = clock.now();
  const words = name.split(/[-_]/).filter(Boolean);
  const className = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
  const scratch = await mkdtemp(join(tmpdir(), 'latchkey-migration-'));
  try {
    print('Comparing the entities with the migrations, in a temporary database');
    const options = databaseOptions(`sqlite:${join(scratch, 'scratch.sqlite')}`, tables);
    const draft = await draftMigration(options, `${className}${time}`);
    if (!draft) {
      print('The entities match the migrations: there is nothing to write');
      return;
    }
    const file = join(dirname(path), `${time}-${name}.ts`);
    await writeFile(file, draft.source, { flag: 'wx' });
    for (const step of draft.steps) print(`  ${step}`);
    print(`Wrote ${file}, which runs on SQLite and PostgreSQL.`);
    print('Check it, run npm run format, and list it with the other migrations.');
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Does `work` on the database of the settings, with time for long statements. */
async function onDatabase(
  tables: Tables,
  work: (dataSource: DataSource) => Promise<void>,
): Promise<void> {
  const options = migrationOptions(databaseUrl(), tables);
  const dataSource = await new DataSource(options).initialize();
  try {
    await work(dataSource);
  } finally {
    await dataSource.destroy();
  }
}

/** Names the migrations that the database has not seen, in the order of their times. */
async function newMigrations(dataSource: DataSource): Promise<string[]> {
  const runner = dataSource.createQueryRunner();
  try {
    const { behind } = await migrationState(runner);
    return [...behind].sort((a, b) => timeOf(a) - timeOf(b));
  } finally {
    await runner.release();
  }
}

/** Returns the time at the end of a migration's name. */
const timeOf = (name: string): number => Number(/\d+$/.exec(name)?.[0]);

async function runNew(dataSource: DataSource): Promise<void> {
  const names = await newMigrations(dataSource);
  await migrate(dataSource);
  for (const name of names) print(`Ran ${name}`);
  if (names.length === 0) print('The database has all migrations');
}

async function revertLast(dataSource: DataSource): Promise<void> {
  const before = await newMigrations(dataSource);
  await dataSource.undoLastMigration();
  const reverted = (await newMigrations(dataSource)).filter((name) => !before.includes(name));
  for (const name of reverted) print(`Reverted ${name}`);
  if (reverted.length === 0) print('There is no migration to revert');
}
