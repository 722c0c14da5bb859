import type { MigrationInterface, ObjectLiteral } from 'typeorm';

/** The tables of a room: their entities, and the migrations that make and change them. */
export interface Tables {
  entities: (new () => ObjectLiteral)[];
  migrations: (new () => MigrationInterface)[];
}

/** Injects the {@link Tables} of the application, which a global module provides. */
export const TABLES = Symbol('tables');

/** For a connection that runs statements only. */
export const NO_TABLES: Tables = { entities: [], migrations: [] };

/** Joins the tables of several rooms. TypeORM orders the migrations by the numbers in their names. */
export const joinTables = (rooms: Partial<Tables>[]): Tables => ({
  entities: rooms.flatMap(({ entities = [] }) => entities),
  migrations: rooms.flatMap(({ migrations = [] }) => migrations),
});
