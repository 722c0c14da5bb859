import { type MigrationInterface, type QueryRunner, TableColumn } from 'typeorm';

export class AddAccountColumns1764000000012 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.addColumns('users', [
      new TableColumn({ name: 'email_verified_at', type: 'bigint', isNullable: true }),
      new TableColumn({ name: 'display_name', type: 'varchar', length: '256', isNullable: true }),
      new TableColumn({ name: 'locale', type: 'varchar', length: '35', isNullable: true }),
    ]);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropColumns('users', ['email_verified_at', 'display_name', 'locale']);
  }
}
