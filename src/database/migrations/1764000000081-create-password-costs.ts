import { type MigrationInterface, type QueryRunner, Table } from 'typeorm';

/** Notes the costs of the stored bcrypt hashes, so that a guess for an unknown name takes as long. */
export class CreatePasswordCosts1764000000081 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.createTable(
      new Table({
        name: 'password_costs',
        columns: [{ name: 'cost', type: 'integer', isPrimary: true }],
      }),
    );
    await runner.query(
      `INSERT INTO password_costs (cost)
         SELECT DISTINCT CAST(substr(password_hash, CASE WHEN password_hash LIKE '$2_$__$%' THEN 5 ELSE 12 END, 2)
           AS integer)
         FROM users
         WHERE password_hash LIKE '$2_$__$%' OR password_hash LIKE 'sha384$$2_$__$%'
           OR password_hash LIKE 'bcrypt$$2_$__$%'`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropTable('password_costs');
  }
}
