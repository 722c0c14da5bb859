import { type MigrationInterface, type QueryRunner, Table } from 'typeorm';
import { skeletonOf } from '../../common/look-alikes.js';

/** Users that are read and stored at a time. */
const BATCH = 500;

/**
 * Makes the table that says which user has a name, by what the name looks like. Present users keep their
 * names. If several names look alike, the first user gets the claim and the others get none.
 */
export class CreateUsernameClaims1764000000080 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.createTable(
      new Table({
        name: 'username_claims',
        columns: [
          {
            name: 'skeleton',
            type: 'varchar',
            length: '512',
            isPrimary: true,
            ...(runner.connection.options.type === 'postgres' && { collation: 'C' }),
          },
          { name: 'user_id', type: 'varchar', length: '36' },
          { name: 'reserved_until', type: 'bigint', isNullable: true },
        ],
        indices: [{ name: 'ix_username_claims_user_id', columnNames: ['user_id'] }],
        foreignKeys: [
          {
            name: 'fk_username_claims_user_id',
            columnNames: ['user_id'],
            referencedTableName: 'users',
            referencedColumnNames: ['id'],
            onDelete: 'CASCADE',
          },
        ],
      }),
    );
    await fill(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropTable('username_claims');
  }
}

async function fill(runner: QueryRunner): Promise<void> {
  let after: { created_at: string | number; id: string } = { created_at: 0, id: '' };
  for (;;) {
    const users = (await runner.query(
      `SELECT id, username_key, created_at FROM users WHERE (created_at, id) > ($1, $2)
         ORDER BY created_at, id LIMIT ${BATCH}`,
      [after.created_at, after.id],
    )) as { id: string; username_key: string; created_at: string | number }[];
    const last = users.at(-1);
    if (!last) return;
    after = last;
    const rows = users.map((_, i) => `($${2 * i + 1}, $${2 * i + 2})`).join(', ');
    await runner.query(
      `INSERT INTO username_claims (skeleton, user_id) VALUES ${rows} ON CONFLICT DO NOTHING`,
      users.flatMap(({ id, username_key: key }) => [skeletonOf(key), id]),
    );
  }
}
