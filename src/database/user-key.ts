import type { TableForeignKeyOptions } from 'typeorm';

/** Returns a foreign key on `user_id`, for migrations: the rows of `table` are deleted with their user. */
export const ofUser = (table: string): TableForeignKeyOptions => ({
  name: `fk_${table}_user_id`,
  columnNames: ['user_id'],
  referencedTableName: 'users',
  referencedColumnNames: ['id'],
  onDelete: 'CASCADE',
});
