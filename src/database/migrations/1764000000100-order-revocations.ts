import { type MigrationInterface, type QueryRunner, TableColumn, TableIndex } from 'typeorm';

export class OrderRevocations1764000000100 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // Instances of the version before, which may still run, leave the column out.
    const position = { name: 'position', type: 'bigint', default: 0 };
    await runner.addColumn('revocations', new TableColumn(position));
    const index = { name: 'ix_revocations_position', columnNames: ['position'] };
    await runner.createIndex('revocations', new TableIndex(index));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropIndex('revocations', 'ix_revocations_position');
    await runner.dropColumn('revocations', 'position');
  }
}
