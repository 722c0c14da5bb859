import type { QueryRunner } from 'typeorm';

/** A database's migrations compared with the program's, by name. */
export interface MigrationState {
  /** The migrations that the database lacks; all of them if it was never migrated. */
  behind: string[];
  /** The migrations that this program does not know. A newer program made the database. */
  ahead: string[];
}

/** The table of TypeORM with the names of the migrations that were run. */
export const MIGRATIONS_TABLE = 'migrations';

/** The first migration of every version before 0.1.0, whose tables are not the present ones. */
const FIRST_BEFORE_RELEASE = 'CreateUsers1764000000000';

/** What to do with a database of a version before 0.1.0. */
export const MOVE_ADVICE =
  'export its users with the version that made it (npx latchkey users export), and import them into an empty ' +
  'database (npx latchkey users import)';

/** Returns the names of the migrations that a database has seen; changes nothing. */
async function doneMigrations(runner: QueryRunner): Promise<string[]> {
  if (!(await tableNames(runner)).includes(MIGRATIONS_TABLE)) return [];
  const rows = (await runner.query(`SELECT name FROM ${MIGRATIONS_TABLE}`)) as { name: string }[];
  return rows.map(({ name }) => name);
}

/** Tells whether a version before 0.1.0 made the database; changes nothing. */
export async function isEarlierDatabase(runner: QueryRunner): Promise<boolean> {
  return (await doneMigrations(runner)).includes(FIRST_BEFORE_RELEASE);
}

/**
 * Refuses a database that a version before 0.1.0 made.
 *
 * @throws Error with a sentence
 */
export async function refuseEarlierDatabase(runner: QueryRunner): Promise<void> {
  if (!(await isEarlierDatabase(runner))) return;
  throw new Error(`This database was made by a version of Latchkey before 0.1.0: ${MOVE_ADVICE}`);
}

/** Compares a database's migrations with the program's. Changes nothing. */
export async function migrationState(runner: QueryRunner): Promise<MigrationState> {
  const known = runner.connection.migrations.map(
    (migration) => migration.name ?? migration.constructor.name,
  );
  const done = await doneMigrations(runner);
  return {
    behind: known.filter((name) => !done.includes(name)),
    ahead: done.filter((name) => !known.includes(name)),
  };
}

/** Returns the tables of a database, without those of the database system. */
export async function tableNames(runner: QueryRunner): Promise<string[]> {
  const rows = (await runner.query(
    runner.connection.options.type === 'postgres'
      ? `SELECT table_name AS name FROM information_schema.tables
           WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'`
      : `SELECT name FROM sqlite_master
           WHERE type = 'table' AND name NOT LIKE 'sqlite~_%' ESCAPE '~'`,
  )) as { name: string }[];
  return rows.map(({ name }) => name).sort();
}
