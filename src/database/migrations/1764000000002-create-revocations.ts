import { type MigrationInterface, type QueryRunner, Table } from 'typeorm';

export class CreateRevocations1764000000002 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.createTable(
      new Table({
        name: 'revocations',
        columns: [
          { name: 'id', type: 'varchar', length: '36', isPrimary: true },
          { name: 'session_id', type: 'varchar', length: '36', isNullable: true },
          { name: 'user_id', type: 'varchar', length: '36' },
          { name: 'below_version', type: 'integer', isNullable: true },
          { name: 'stale', type: 'boolean' },
          { name: 'revoked_at', type: 'bigint' },
        ],
        indices: [{ name: 'ix_revocations_revoked_at', columnNames: ['revoked_at'] }],
      }),
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropTable('revocations');
  }
}
