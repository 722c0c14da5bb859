import { type MigrationInterface, type QueryRunner, Table } from 'typeorm';

/** Makes the tables of the audit's chain. */
export class AuditChain1764100000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
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
          { name: 'secret_check', type: 'varchar', length: '43' },
          { name: 'created_at', type: 'bigint' },
        ],
      }),
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropTable('audit_keys');
    await runner.dropTable('audit_marks');
  }
}
