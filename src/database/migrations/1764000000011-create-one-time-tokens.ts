import { type MigrationInterface, type QueryRunner, Table } from 'typeorm';

export class CreateOneTimeTokens1764000000011 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.createTable(
      new Table({
        name: 'one_time_tokens',
        columns: [
          { name: 'token_hash', type: 'varchar', length: '43', isPrimary: true },
          { name: 'user_id', type: 'varchar', length: '36' },
          { name: 'purpose', type: 'varchar', length: '64' },
          { name: 'slot', type: 'varchar', length: '36' },
          { name: 'code_mac', type: 'varchar', length: '43', isNullable: true },
          { name: 'code_attempts', type: 'integer', default: 0 },
          { name: 'guard', type: 'varchar', length: '43' },
          { name: 'payload', type: 'text', isNullable: true },
          { name: 'created_at', type: 'bigint' },
          { name: 'expires_at', type: 'bigint' },
          { name: 'used_at', type: 'bigint', isNullable: true },
        ],
        indices: [
          {
            name: 'uq_one_time_tokens_slot',
            columnNames: ['user_id', 'purpose', 'slot'],
            isUnique: true,
          },
          { name: 'ix_one_time_tokens_expires_at', columnNames: ['expires_at'] },
        ],
        foreignKeys: [
          {
            name: 'fk_one_time_tokens_user_id',
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
    await runner.dropTable('one_time_tokens');
  }
}
