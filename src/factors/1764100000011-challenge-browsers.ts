import { type MigrationInterface, type QueryRunner, TableColumn } from 'typeorm';

/** Adds the browser of a sign-in that waits for a second factor. */
export class ChallengeBrowsers1764100000011 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.addColumn(
      'sign_in_challenges',
      new TableColumn({ name: 'browser_hash', type: 'varchar', length: '43', isNullable: true }),
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropColumn('sign_in_challenges', 'browser_hash');
  }
}
