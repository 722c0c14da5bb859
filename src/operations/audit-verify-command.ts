import { Command } from 'commander';
import { verifyAudit } from '../audit-chain/verify.js';
import { Config, environment } from '../config/config.js';
import { previewSecret } from '../config/generated-secret.js';
import { EXIT } from './exit.js';
import { Keyring } from '../keys/keyring.js';
import { print, printError } from './print.js';

/** The number of faults that are shown. The rest is only counted. */
const SHOWN = 20;

/**
 * Defines `audit verify`, which prints each fault of the audit on a line. It exits with 1 if there is a
 * fault. It exits with 5 if there is none but some rows could not be checked.
 */
export function auditVerifyCommand(): Command {
  return new Command('verify')
    .description('check that no row of the audit was removed, changed, moved or inserted')
    .option('--expect-head <head>', 'a head that was printed before; the chain has to contain it')
    .action(async ({ expectHead }: { expectHead?: string }) => {
      const config = Config.load(environment(), previewSecret);
      let shown = 0;
      const found = await verifyAudit({
        url: config.databaseUrl,
        keyring: new Keyring(config),
        expectHead: expectHead === undefined ? undefined : readHead(expectHead),
        onFault: (fault) => {
          if (++shown <= SHOWN) printError(fault);
        },
      });
      if (shown > SHOWN) printError(`and ${shown - SHOWN} more`);
      const { faults, rows, first, unsealed, unchecked, rekeyedRows, head } = found;
      const range = rows > 0 ? ` (${first} to ${head.seq})` : '';
      const waiting = unsealed > 0 ? `, and ${unsealed} not yet sealed` : '';
      if (unchecked > 0) {
        printError(
          `${unchecked} rows could not be checked: no secret here decrypts their key. Run this command again ` +
            'with the secret of that time in JWT_PREVIOUS_SECRET_KEYS.',
        );
      }
      for (const row of rekeyedRows) {
        printError(
          `${row}: the audit got a new key here, so older rows cannot be verified. If you know the ` +
            'reason, give a head that was printed after this row: --expect-head.',
        );
      }
      if (faults > 0) {
        printError(`The audit was tampered with: ${faults} faults in ${rows} rows${waiting}.`);
        process.exitCode = 1;
        return;
      }
      if (unchecked > 0 || rekeyedRows.length > 0) {
        printError(`The audit could not be checked completely: ${rows} rows${range}${waiting}.`);
        printError(`Head ${head.seq}:${head.hash}`);
        process.exitCode = EXIT.unchecked;
        return;
      }
      print(`The audit is intact: ${rows} rows${range}${waiting}.`);
      print(`Head ${head.seq}:${head.hash}`);
    });
}

/**
 * Parses a printed head.
 *
 * @throws Error
 */
function readHead(text: string): { seq: number; hash: string } {
  const [, seq, hash = ''] = /^(\d{1,15}):([\w.-]*)$/.exec(text) ?? [];
  if (seq === undefined) throw new Error('--expect-head: expected a head such as 1234:AbCdEfGh.…');
  return { seq: Number(seq), hash };
}
