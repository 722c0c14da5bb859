import { type MigrationInterface, type QueryRunner, Table } from 'typeorm';
import { ofUser } from '../database/user-key.js';

/** Makes the table of authenticator apps. */
export class Totp1764100000004 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.createTable(
      new Table({
        name: 'totp_factors',
        columns: [
          { name: 'id', type: 'varchar', length: '36', isPrimary: true },
          { name: 'user_id', type: 'varchar', length: '36' },
          { name: 'name', type: 'varchar', length: '256' },
          { name: 'sealed', type: 'varchar', length: '128' },
          { name: 'sealed_by', type: 'varchar', length: '11' },
          { name: 'created_at', type: 'bigint' },
          { name: 'confirmed_at', type: 'bigint', isNullable: true },
          { name: 'last_step', type: 'integer', default: 0 },
          { name: 'last_used_at', type: 'bigint', isNullable: true },
        ],
        indices: [{ name: 'ix_totp_factors_user_id', columnNames: ['user_id'] }],
        foreignKeys: [ofUser('totp_factors')],
      }),
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropTable('totp_factors');
  }
}
