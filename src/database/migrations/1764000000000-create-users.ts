import { type MigrationInterface, type QueryRunner, Table } from 'typeorm';

export class CreateUsers1764000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.createTable(
      new Table({
        name: 'users',
        columns: [
          { name: 'id', type: 'varchar', length: '36', isPrimary: true },
          { name: 'username', type: 'varchar', length: '1024' },
          { name: 'username_key', type: 'varchar', length: '256' },
          { name: 'email', type: 'varchar', length: '254', isNullable: true },
          { name: 'email_key', type: 'varchar', length: '512', isNullable: true },
          { name: 'password_hash', type: 'varchar', length: '255' },
          { name: 'roles', type: 'text' },
          { name: 'token_version', type: 'integer', default: 0 },
          { name: 'disabled_at', type: 'bigint', isNullable: true },
          { name: 'created_at', type: 'bigint' },
          { name: 'updated_at', type: 'bigint' },
        ],
        indices: [
          { name: 'uq_users_username_key', columnNames: ['username_key'], isUnique: true },
          { name: 'uq_users_email_key', columnNames: ['email_key'], isUnique: true },
        ],
      }),
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropTable('users');
  }
}
