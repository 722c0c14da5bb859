import { type MigrationInterface, type QueryRunner, Table } from 'typeorm';
import { ofUser } from '../database/user-key.js';

const userId = { name: 'user_id', type: 'varchar', length: '36' };

/** Makes the tables of sign-ins that wait for a second factor, and of recovery codes. */
export class Factors1764100000003 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.createTable(
      new Table({
        name: 'sign_in_challenges',
        columns: [
          { name: 'token_hash', type: 'varchar', length: '43', isPrimary: true },
          userId,
          { name: 'amr', type: 'varchar', length: '64' },
          { name: 'guard', type: 'varchar', length: '43' },
          { name: 'browser_hash', type: 'varchar', length: '43', isNullable: true },
          { name: 'attempts', type: 'integer', default: 0 },
          { name: 'expires_at', type: 'bigint' },
          { name: 'used_at', type: 'bigint', isNullable: true },
        ],
        indices: [
          { name: 'ix_sign_in_challenges_user_id', columnNames: ['user_id'] },
          { name: 'ix_sign_in_challenges_expires_at', columnNames: ['expires_at'] },
        ],
        foreignKeys: [ofUser('sign_in_challenges')],
      }),
    );
    await runner.createTable(
      new Table({
        name: 'recovery_codes',
        columns: [
          { name: 'id', type: 'varchar', length: '36', isPrimary: true },
          userId,
          { name: 'mac', type: 'varchar', length: '43' },
          { name: 'created_at', type: 'bigint' },
          { name: 'used_at', type: 'bigint', isNullable: true },
        ],
        indices: [
          { name: 'uq_recovery_codes_mac', columnNames: ['user_id', 'mac'], isUnique: true },
        ],
        foreignKeys: [ofUser('recovery_codes')],
      }),
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropTable('recovery_codes');
    await runner.dropTable('sign_in_challenges');
  }
}
