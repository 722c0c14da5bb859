import { type MigrationInterface, type QueryRunner, Table } from 'typeorm';
import { ofUser } from '../database/user-key.js';

/** Makes the tables of passkeys, of the handles of their users, and of used challenges. */
export class Passkeys1764100000005 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.createTable(
      new Table({
        name: 'passkeys',
        columns: [
          { name: 'id', type: 'varchar', length: '36', isPrimary: true },
          { name: 'user_id', type: 'varchar', length: '36' },
          { name: 'credential_id', type: 'varchar', length: '1364' },
          { name: 'public_key', type: 'text' },
          { name: 'sign_count', type: 'bigint' },
          { name: 'rp_id', type: 'varchar', length: '253' },
          { name: 'transports', type: 'varchar', length: '128' },
          { name: 'aaguid', type: 'varchar', length: '36' },
          { name: 'backup_eligible', type: 'boolean' },
          { name: 'backed_up', type: 'boolean' },
          { name: 'name', type: 'varchar', length: '256' },
          { name: 'created_at', type: 'bigint' },
          { name: 'last_used_at', type: 'bigint', isNullable: true },
        ],
        indices: [
          { name: 'uq_passkeys_credential_id', columnNames: ['credential_id'], isUnique: true },
          { name: 'ix_passkeys_user_id', columnNames: ['user_id'] },
        ],
        foreignKeys: [ofUser('passkeys')],
      }),
    );
    await runner.createTable(
      new Table({
        name: 'webauthn_handles',
        columns: [
          { name: 'user_id', type: 'varchar', length: '36', isPrimary: true },
          { name: 'handle', type: 'varchar', length: '43' },
        ],
        indices: [{ name: 'uq_webauthn_handles_handle', columnNames: ['handle'], isUnique: true }],
        foreignKeys: [ofUser('webauthn_handles')],
      }),
    );
    await runner.createTable(
      new Table({
        name: 'webauthn_challenges',
        columns: [
          { name: 'challenge_hash', type: 'varchar', length: '43', isPrimary: true },
          { name: 'ceremony', type: 'varchar', length: '16' },
          { name: 'user_id', type: 'varchar', length: '36', isNullable: true },
          { name: 'expires_at', type: 'bigint' },
        ],
        indices: [
          { name: 'ix_webauthn_challenges_user_id', columnNames: ['user_id'] },
          { name: 'ix_webauthn_challenges_expires_at', columnNames: ['expires_at'] },
        ],
        foreignKeys: [ofUser('webauthn_challenges')],
      }),
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropTable('webauthn_challenges');
    await runner.dropTable('webauthn_handles');
    await runner.dropTable('passkeys');
  }
}
