import { Command } from 'commander';
import type { Tables } from '../database/tables.js';
import { diagnose } from './diagnosis.js';
import { print } from './print.js';

const LABELS = { ok: 'ok  ', warn: 'warn', fail: 'FAIL' };

/** Defines `doctor`, which prints a line for each finding. It exits with 1 if one is a failure. */
export function doctorCommand(tables: Tables): Command {
  return new Command('doctor')
    .description('check the settings, the files and the database')
    .option('--json', 'print the findings as JSON')
    .action(async ({ json }: { json?: true }) => {
      const findings = await diagnose(tables);
      if (json) {
        print(JSON.stringify(findings, null, 2));
      } else {
        for (const { status, check, message, advice } of findings) {
          const line = `${LABELS[status]}  ${check.padEnd(10)}  ${message}`;
          print(advice ? `${line}: ${advice}` : line);
        }
      }
      if (findings.some(({ status }) => status === 'fail')) process.exitCode = 1;
    });
}
