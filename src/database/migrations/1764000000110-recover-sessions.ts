import { type MigrationInterface, type QueryRunner, TableColumn } from 'typeorm';

export class RecoverSessions1764000000110 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.addColumn(
      'sessions',
      new TableColumn({ name: 'recovered_generation', type: 'integer', isNullable: true }),
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropColumn('sessions', 'recovered_generation');
  }
}
