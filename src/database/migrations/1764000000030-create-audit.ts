import { type MigrationInterface, type QueryRunner, Table } from 'typeorm';

export class CreateAudit1764000000030 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.createTable(
      new Table({
        name: 'audit_events',
        columns: [
          { name: 'id', type: 'varchar', length: '36', isPrimary: true },
          { name: 'created_at', type: 'bigint' },
          { name: 'action', type: 'varchar', length: '64' },
          { name: 'subject_id', type: 'varchar', length: '36', isNullable: true },
          { name: 'actor_id', type: 'varchar', length: '36', isNullable: true },
          { name: 'impersonator_id', type: 'varchar', length: '36', isNullable: true },
          { name: 'source', type: 'varchar', length: '16' },
          { name: 'request_id', type: 'varchar', length: '36', isNullable: true },
          { name: 'details', type: 'text', isNullable: true },
          { name: 'address', type: 'varchar', length: '64', isNullable: true },
          { name: 'user_agent', type: 'varchar', length: '512', isNullable: true },
          { name: 'origin_salt', type: 'varchar', length: '22', isNullable: true },
          { name: 'origin_digest', type: 'varchar', length: '43' },
          { name: 'mac', type: 'varchar', length: '64' },
          { name: 'seq', type: 'bigint', isNullable: true },
          { name: 'hash', type: 'varchar', length: '64', isNullable: true },
        ],
        indices: [
          { name: 'ix_audit_events_created_at', columnNames: ['created_at', 'id'] },
          { name: 'ix_audit_events_subject_id', columnNames: ['subject_id', 'created_at', 'id'] },
          { name: 'ix_audit_events_actor_id', columnNames: ['actor_id', 'created_at', 'id'] },
          { name: 'ix_audit_events_action', columnNames: ['action', 'created_at', 'id'] },
          { name: 'uq_audit_events_seq', columnNames: ['seq'], isUnique: true },
        ],
      }),
    );
    await runner.createTable(
      new Table({
        name: 'audit_marks',
        columns: [
          { name: 'name', type: 'varchar', length: '8', isPrimary: true },
          { name: 'seq', type: 'bigint' },
          { name: 'hash', type: 'varchar', length: '64' },
          { name: 'mac', type: 'varchar', length: '64' },
        ],
      }),
    );
    await runner.createTable(
      new Table({
        name: 'audit_keys',
        columns: [
          { name: 'id', type: 'varchar', length: '8', isPrimary: true },
          { name: 'sealed', type: 'varchar', length: '128' },
          { name: 'created_at', type: 'bigint' },
        ],
      }),
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of ['audit_keys', 'audit_marks', 'audit_events'])
      await runner.dropTable(table);
  }
}
