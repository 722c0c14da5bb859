import { Command } from 'commander';
import { databaseUrl } from '../config/config.js';
import { backUp } from './backup.js';
import { print } from './print.js';

/** `db backup`: copies the SQLite database of the settings while the server runs. */
export function backupCommand(): Command {
  return new Command('backup')
    .description('copy the SQLite database, as it is now, to a new file')
    .argument('<file>', 'the new file')
    .action(async (file: string) => {
      const bytes = await backUp(databaseUrl(), file);
      print(`Wrote ${file}: ${bytes} bytes, checked. It does not contain the secrets in DATA_DIR.`);
    });
}
