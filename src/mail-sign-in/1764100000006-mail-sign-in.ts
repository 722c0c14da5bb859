import { type MigrationInterface, type QueryRunner, Table } from 'typeorm';
import { ofUser } from '../database/user-key.js';

/** Makes the table of sign-ins that wait for a mailed link or code. */
export class MailSignIn1764100000006 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.createTable(
      new Table({
        name: 'mail_challenges',
        columns: [
          { name: 'challenge_hash', type: 'varchar', length: '43', isPrimary: true },
          { name: 'account_key', type: 'varchar', length: '43' },
          { name: 'user_id', type: 'varchar', length: '36', isNullable: true },
          { name: 'token_hash', type: 'varchar', length: '43', isNullable: true },
          { name: 'address', type: 'varchar', length: '45' },
          { name: 'user_agent', type: 'varchar', length: '512' },
          { name: 'attempts', type: 'integer', default: 0 },
          { name: 'created_at', type: 'bigint' },
          { name: 'expires_at', type: 'bigint' },
        ],
        indices: [
          { name: 'ix_mail_challenges_user_id', columnNames: ['user_id'] },
          { name: 'uq_mail_challenges_token_hash', columnNames: ['token_hash'], isUnique: true },
          { name: 'ix_mail_challenges_expires_at', columnNames: ['expires_at'] },
        ],
        foreignKeys: [ofUser('mail_challenges')],
      }),
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropTable('mail_challenges');
  }
}
