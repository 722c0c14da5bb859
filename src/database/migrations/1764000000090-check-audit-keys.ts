import { type MigrationInterface, type QueryRunner, TableColumn } from 'typeorm';

export class CheckAuditKeys1764000000090 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.addColumn(
      'audit_keys',
      new TableColumn({ name: 'secret_check', type: 'varchar', length: '43', isNullable: true }),
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropColumn('audit_keys', 'secret_check');
  }
}
