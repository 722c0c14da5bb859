import { type MigrationInterface, type QueryRunner, Table } from 'typeorm';

export class CreateCodeMisses1764000000060 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.createTable(
      new Table({
        name: 'code_misses',
        columns: [
          { name: 'slot', type: 'integer', isPrimary: true },
          { name: 'misses', type: 'bigint' },
        ],
      }),
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropTable('code_misses');
  }
}
