import { type MigrationInterface, type QueryRunner, Table } from 'typeorm';

export class CreateMailOutbox1764000000010 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.createTable(
      new Table({
        name: 'mail_outbox',
        columns: [
          { name: 'id', type: 'varchar', length: '36', isPrimary: true },
          { name: 'user_id', type: 'varchar', length: '36', isNullable: true },
          { name: 'template', type: 'varchar', length: '64' },
          { name: 'sealed', type: 'text' },
          { name: 'created_at', type: 'bigint' },
          { name: 'expires_at', type: 'bigint' },
          { name: 'due_at', type: 'bigint' },
          { name: 'attempts', type: 'integer', default: 0 },
          { name: 'failed_at', type: 'bigint', isNullable: true },
          { name: 'failure', type: 'varchar', length: '255', isNullable: true },
        ],
        indices: [
          { name: 'ix_mail_outbox_user_id', columnNames: ['user_id'] },
          { name: 'ix_mail_outbox_due_at', columnNames: ['due_at'] },
        ],
        foreignKeys: [
          {
            name: 'fk_mail_outbox_user_id',
            columnNames: ['user_id'],
            referencedTableName: 'users',
            referencedColumnNames: ['id'],
            onDelete: 'CASCADE',
          },
        ],
      }),
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropTable('mail_outbox');
  }
}
