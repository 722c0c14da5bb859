import type { EntityManager, MigrationInterface, ObjectLiteral } from 'typeorm';
import type { Finding } from '../common/finding.js';
import type { Config } from '../config/config.js';

/** The tables of a room: their entities, and the migrations that make and change them, and checks of their rows. */
export interface Tables {
  entities: (new () => ObjectLiteral)[];
  migrations: (new () => MigrationInterface)[];
  /** The checks of rows that `npx latchkey doctor` makes. They only read. */
  checks?: ((manager: EntityManager, config: Config) => Promise<Finding[]>)[];
}

/** Injects the {@link Tables} of the application, which a global module provides. */
export const TABLES = Symbol('tables');

/** For a connection that runs statements only. */
export const NO_TABLES: Tables = { entities: [], migrations: [] };

/** Joins the tables of several rooms. TypeORM orders the migrations by the numbers in their names. */
export const joinTables = (rooms: Partial<Tables>[]): Tables => ({
  entities: rooms.flatMap(({ entities = [] }) => entities),
  migrations: rooms.flatMap(({ migrations = [] }) => migrations),
  checks: rooms.flatMap(({ checks = [] }) => checks),
});
