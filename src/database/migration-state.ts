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

/** Compares a database's migrations with the program's. Changes nothing. */
export async function migrationState(runner: QueryRunner): Promise<MigrationState> {
  const known = runner.connection.migrations.map(
    (migration) => migration.name ?? migration.constructor.name,
  );
  const rows = (await tableNames(runner)).includes(MIGRATIONS_TABLE)
    ? ((await runner.query(`SELECT name FROM ${MIGRATIONS_TABLE}`)) as { name: string }[])
    : [];
  const done = rows.map(({ name }) => name);
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
