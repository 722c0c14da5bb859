import { Command } from 'commander';
import { ConfigError, databaseUrl } from '../config/config.js';
import type { Tables } from '../database/tables.js';
import { copyDatabase } from './copy.js';
import { showProgress } from './progress.js';
import { print } from './print.js';

/** `db copy`: copies everything to another database. A refusal is an exception. */
export function copyCommand(tables: Tables): Command {
  return new Command('copy')
    .description('copy everything into an empty database, and compare the two')
    .requiredOption('--from <url>', 'sqlite:<path> or postgres://…')
    .requiredOption('--to <url>', 'sqlite:<path> or postgres://…')
    .option('--restart', 'delete the rows of an interrupted copy from the target, and start again')
    .action(async (options: { from: string; to: string; restart?: true }) => {
      const progress = showProgress();
      try {
        const copied = await copyDatabase({
          from: given('--from', options.from),
          to: given('--to', options.to),
          tables,
          restart: options.restart ?? false,
          onProgress: ({ phase, table, done, total }) => {
            const what = `${phase === 'copy' ? 'copying' : 'comparing'} ${table}`;
            progress.update({ what, done, total });
          },
        });
        progress.end();
        for (const { table, rows, checksum } of copied) {
          print(`${table}: ${rows} rows, the same in both, checksum ${checksum}`);
        }
        print('The copy is complete. Set DATABASE_URL to it, and start the server.');
      } finally {
        progress.end();
      }
    });
}

/**
 * Returns the URL of an option, checked like the setting. An error does not repeat it, because it contains a
 * password.
 */
function given(option: string, url: string): string {
  try {
    return databaseUrl({ DATABASE_URL: url });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new Error(`${option}: ${error.issues[0]?.expected ?? ''}`, { cause: error });
  }
}
