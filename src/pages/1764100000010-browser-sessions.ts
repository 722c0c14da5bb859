import { type MigrationInterface, type QueryRunner, Table } from 'typeorm';

/** Makes the table of the browsers that are signed in on the pages. */
export class BrowserSessions1764100000010 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.createTable(
      new Table({
        name: 'browser_sessions',
        columns: [
          { name: 'token_hash', type: 'varchar', length: '43', isPrimary: true },
          { name: 'session_id', type: 'varchar', length: '36' },
          { name: 'persistent', type: 'boolean' },
        ],
        indices: [
          {
            name: 'uq_browser_sessions_session_id',
            columnNames: ['session_id'],
            isUnique: true,
          },
        ],
        foreignKeys: [
          {
            name: 'fk_browser_sessions_session_id',
            columnNames: ['session_id'],
            referencedTableName: 'sessions',
            referencedColumnNames: ['id'],
            onDelete: 'CASCADE',
          },
        ],
      }),
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropTable('browser_sessions');
  }
}
