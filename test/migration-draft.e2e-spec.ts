import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import {
  Column,
  DataSource,
  Entity,
  Index,
  JoinColumn,
  ManyToOne,
  type MigrationInterface,
  PrimaryColumn,
} from 'typeorm';
import * as typeorm from 'typeorm';
import ts from 'typescript';
import { databaseOptions } from '../src/database/database.options.js';
import { draftMigration } from '../src/operations/migration-draft.js';
import { tablesWith } from '../src/tables.js';
import { User } from '../src/users/user.entity.js';
import { freshDatabase } from './support/databases.js';
import { runTool } from './support/server-tools.js';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'latchkey-draft-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

/** An entity of a project, which refers to a user. */
@Entity('cats')
class Cat {
  @PrimaryColumn('varchar', { length: 36 })
  id!: string;

  @Column('varchar', { name: 'owner_id', length: 36 })
  ownerId!: string;

  @ManyToOne(() => User, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'owner_id', foreignKeyConstraintName: 'fk_cats_owner_id' })
  owner?: User;

  @Index('ix_cats_name', { unique: true })
  @Column('varchar', { length: 64, default: 'tabby' })
  name!: string;

  @Column('boolean', { default: true })
  tame!: boolean;

  @Column('bigint', { name: 'born_at', nullable: true })
  bornAt!: string | null;
}

/** One with a type that PostgreSQL does not have. */
@Entity('dated')
class Dated {
  @PrimaryColumn('varchar')
  id!: string;

  @Column('datetime')
  at!: Date;
}

const withCat = (url: string, entity: typeof Cat | typeof Dated = Cat) => {
  const options = databaseOptions(url, tablesWith({}));
  return { ...options, entities: [...(options.entities as []), entity] };
};

function load(source: string): MigrationInterface {
  const { outputText } = ts.transpileModule(source, {
    compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 },
  });
  const module: Record<string, new () => MigrationInterface> = {};
  runInNewContext(outputText, { exports: module, require: () => typeorm });
  const [Migration] = Object.values(module);
  if (!Migration) throw new Error('no migration');
  return new Migration();
}

it('writes a migration that makes the tables of the entities on this database, and back', async () => {
  const draft = await draftMigration(withCat(`sqlite:${join(dir, 'scratch.sqlite')}`), 'AddCats1');
  expect(draft?.steps).toEqual([`createTable 'cats'`, `createForeignKeys 'cats'`]);
  const migration = load(draft?.source ?? '');
  const database = await freshDatabase();
  const dataSource = await new DataSource(withCat(database.url)).initialize();
  try {
    await dataSource.runMigrations();
    const runner = dataSource.createQueryRunner();
    const differences = async () => (await dataSource.driver.createSchemaBuilder().log()).upQueries;
    expect(await differences()).not.toEqual([]);
    await migration.up(runner);
    expect(await differences()).toEqual([]);
    await migration.down(runner);
    expect(await runner.hasTable('cats')).toBe(false);
    await runner.release();
  } finally {
    await dataSource.destroy();
    await database.drop();
  }
});

it('refuses a type that only one of the databases has, in words', async () => {
  const draft = draftMigration(
    withCat(`sqlite:${join(dir, 'scratch.sqlite')}`, Dated),
    'AddDates1',
  );
  await expect(draft).rejects.toThrow('Column at is of the type datetime');
});

it('says that there is nothing to write if no entity was changed, and asks no database', async () => {
  const env = { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' };
  const outcome = await runTool(dir, ['migration', 'generate', join(dir, 'nothing')], env);
  expect(outcome).toMatchObject({ code: 0, stderr: '' });
  expect(outcome.stdout).toContain('The entities match the migrations: there is nothing to write');
  expect(await readdir(dir)).toEqual([]);
});

it('runs what is new, and takes the last one back', async () => {
  const database = await freshDatabase();
  const migration = async (what: string) => {
    const outcome = await runTool(dir, ['migration', what], { DATABASE_URL: database.url });
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
    return outcome.stdout;
  };
  try {
    const ran = await migration('run');
    expect(ran).toMatch(/^(Ran \w+\n)+$/);
    expect(await migration('run')).toBe('The database has all migrations\n');
    const last = ran.trim().split(' ').at(-1) ?? '';
    expect(await migration('revert')).toBe(`Reverted ${last}\n`);
    expect(await migration('run')).toBe(`Ran ${last}\n`);
  } finally {
    await database.drop();
  }
});
