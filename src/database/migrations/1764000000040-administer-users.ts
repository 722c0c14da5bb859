import { type MigrationInterface, type QueryRunner, Table, TableIndex } from 'typeorm';

/** Rows that are read at a time. */
const BATCH = 1_000;

const COLUMNS = ['disabled_until', 'disabled_reason'];

const INDICES = [
  { name: 'ix_users_created_at' },
  { name: 'ix_users_disabled', where: 'disabled_at IS NOT NULL' },
  { name: 'ix_users_unverified', where: 'email_verified_at IS NULL AND email_key IS NOT NULL' },
].map((index) => new TableIndex({ ...index, columnNames: ['created_at', 'id'] }));

/** What is asked of users, who has which role, and what a role may do. */
export class AdministerUsers1764000000040 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // The schema API would make SQLite copy the whole table for each column.
    await runner.query('ALTER TABLE users ADD COLUMN disabled_until bigint');
    await runner.query('ALTER TABLE users ADD COLUMN disabled_reason varchar(255)');
    await collate(runner, '"C"');
    await runner.createIndices('users', INDICES);
    await runner.createTable(
      new Table({
        name: 'user_roles',
        columns: [
          { name: 'role', type: 'varchar', length: '255', isPrimary: true },
          { name: 'created_at', type: 'bigint', isPrimary: true },
          { name: 'user_id', type: 'varchar', length: '36', isPrimary: true },
        ],
        indices: [{ name: 'ix_user_roles_user_id', columnNames: ['user_id'] }],
        foreignKeys: [
          {
            name: 'fk_user_roles_user_id',
            columnNames: ['user_id'],
            referencedTableName: 'users',
            referencedColumnNames: ['id'],
            onDelete: 'CASCADE',
          },
        ],
      }),
    );
    await fill(runner);
    await runner.createTable(
      new Table({
        name: 'roles',
        columns: [
          { name: 'name', type: 'varchar', length: '64', isPrimary: true },
          { name: 'permissions', type: 'text' },
          { name: 'updated_at', type: 'bigint' },
        ],
      }),
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropTable('roles');
    await runner.dropTable('user_roles');
    await runner.dropIndices('users', INDICES);
    await collate(runner, '"default"');
    for (const column of COLUMNS) await runner.query(`ALTER TABLE users DROP COLUMN ${column}`);
  }
}

/** Lets PostgreSQL find a beginning by the unique indexes, which SQLite's do as they are. */
async function collate(runner: QueryRunner, collation: string): Promise<void> {
  if (runner.connection.options.type !== 'postgres') return;
  const columns = { username_key: 256, email_key: 512 };
  const changes = Object.entries(columns).map(
    ([name, width]) => `ALTER COLUMN ${name} TYPE varchar(${width}) COLLATE ${collation}`,
  );
  await runner.query(`ALTER TABLE users ${changes.join(', ')}`);
}

/** Finds who has roles already. */
async function fill(runner: QueryRunner): Promise<void> {
  for (let after = ''; ;) {
    const users = (await runner.query(
      `SELECT id, roles, created_at FROM users WHERE roles <> '[]' AND id > $1
         ORDER BY id LIMIT ${BATCH}`,
      [after],
    )) as { id: string; roles: string; created_at: string | number }[];
    for (const { id, roles, created_at: createdAt } of users) {
      for (const role of new Set(JSON.parse(roles) as string[])) {
        await runner.query(
          'INSERT INTO user_roles (role, created_at, user_id) VALUES ($1, $2, $3)',
          [role, createdAt, id],
        );
      }
    }
    const last = users.at(-1);
    if (!last) return;
    after = last.id;
  }
}
