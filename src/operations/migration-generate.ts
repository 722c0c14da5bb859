import 'reflect-metadata';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { Command } from 'commander';
import { clock } from '../common/clock.js';
import { databaseOptions } from '../database/database.options.js';
import { draftMigration } from './migration-draft.js';
import { CliError, EXIT } from './exit.js';
import { run } from './run.js';

/** `npm run migration:generate -- <folder>/<name>`: compares on a database of its own. */
async function generate(path: string): Promise<void> {
  const name = basename(path, '.ts');
  if (!/^[a-z][\w-]*$/i.test(name))
    throw new CliError(`${name} is not a name such as add-age`, EXIT.usage);
  const time = clock.now();
  const words = name.split(/[-_]/).filter(Boolean);
  const className = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
  const scratch = await mkdtemp(join(tmpdir(), 'latchkey-migration-'));
  try {
    console.log('Comparing the entities with all migrations, on a database of its own');
    const options = databaseOptions(`sqlite:${join(scratch, 'scratch.sqlite')}`);
    const draft = await draftMigration(options, `${className}${time}`);
    if (!draft) {
      console.log('They agree: there is nothing to write');
      return;
    }
    const file = join(dirname(path), `${time}-${name}.ts`);
    await writeFile(file, draft.source, { flag: 'wx' });
    for (const step of draft.steps) console.log(`  ${step}`);
    console.log(`Wrote ${file}, which runs on SQLite and PostgreSQL.`);
    console.log('Look at it, run npm run format, and list it with the other migrations.');
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

await run(
  new Command('migration:generate')
    .description('write a migration for the entities that were changed')
    .argument('<path>', 'its folder and name: src/database/migrations/name')
    .action(generate),
);
