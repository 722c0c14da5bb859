import { createReadStream, createWriteStream, type WriteStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { once } from 'node:events';
import { type Command, createCommand, Option } from 'commander';
import { printable } from '../common/printable.js';
import { TransferModule } from './transfer.module.js';
import { UserExport } from './user-export.js';
import { type ImportFormat, type LineNote, type RefusedLine, UserImport } from './user-import.js';
import type { WithServices } from './context.js';
import { CliError, EXIT } from './exit.js';
import { showProgress } from './progress.js';
import { print, printError } from './print.js';

/** The number of refused lines that are shown if no report is asked for. */
const SHOWN = 20;

interface ImportOptions {
  format?: ImportFormat;
  report?: string;
  dryRun?: true;
  json?: true;
}

/** Defines `users import`, which takes users from a file or the standard input. */
export function importUsers(withServices: WithServices): Command {
  return createCommand('import')
    .description('import users with their password hashes; run it again after an interruption')
    .argument('<file>', 'JSON lines or CSV; - is the standard input')
    .addOption(
      new Option('--format <format>', 'by default by the name of the file').choices([
        'jsonl',
        'csv',
      ]),
    )
    .option(
      '--report <file>',
      'write refused and partly imported lines, with the reasons, to a new file',
    )
    .option('--dry-run', 'check every line and store nothing')
    .option('--json', 'print the counts as JSON')
    .action(
      async (file: string, { format = formatOf(file), report, json, dryRun }: ImportOptions) => {
        const source = await openSource(file);
        const told = new LineReport(report === undefined ? undefined : await newFile(report));
        const progress = showProgress();
        const counts = await withServices(
          [TransferModule],
          (services) =>
            services.get(UserImport, { strict: false }).run(
              source.chunks,
              format,
              {
                onRefused: (line) => {
                  told.add(line, line.reason);
                },
                onNote: (line) => {
                  told.add(line, `imported, but: ${line.note}`);
                },
                onProgress: (done) => {
                  const { size: total } = source;
                  if (total > 0) progress.update({ what: 'importing', done, total });
                },
              },
              { dryRun },
            ),
          { mayCreate: true },
        ).finally(() => {
          progress.end();
        });
        await told.end();
        const { imported, partial, unchanged, refused } = counts;
        const inPart = partial > 0 ? ` (${partial} partly)` : '';
        const verb = dryRun ? 'would be imported' : 'imported';
        print(
          json
            ? JSON.stringify(counts)
            : `${imported} ${verb}${inPart}, ${unchanged} already present, ${refused} refused`,
        );
        if (refused > 0) process.exitCode = EXIT.refusedLines;
      },
    );
}

/** Defines `users export`, which writes every user to the standard output. */
export function exportUsers(withServices: WithServices): Command {
  return createCommand('export')
    .description('print every user as a line of JSON that an import can read')
    .option(
      '--with-password-hashes',
      'include the hashes, with which an attacker can try passwords',
    )
    .action(({ withPasswordHashes = false }: { withPasswordHashes?: boolean }) =>
      withServices(
        [TransferModule],
        async (services) => {
          if (withPasswordHashes) {
            printError('The output contains password hashes: protect it like the database.');
          }
          const users = services.get(UserExport, { strict: false });
          const factors = await users.countFactors();
          if (factors > 0) {
            printError(
              `Users with a second factor: ${factors}. The output leaves the factors out, so after an import the ` +
                'password alone signs these users in. `latchkey db copy` takes the factors along.',
            );
          }
          for await (const user of users.run(withPasswordHashes)) {
            const room = process.stdout.write(`${printable(JSON.stringify(user))}\n`);
            if (!room) await once(process.stdout, 'drain');
          }
        },
        { readOnly: true },
      ),
    );
}

/**
 * Returns the format by the file's name.
 *
 * @throws CliError if the name does not tell
 */
function formatOf(file: string): ImportFormat {
  if (file === '-' || /\.(jsonl|ndjson|json)$/i.test(file)) return 'jsonl';
  if (/\.csv$/i.test(file)) return 'csv';
  throw new CliError(
    'Give --format jsonl or --format csv: the name of the file does not show the format',
    EXIT.usage,
  );
}

/**
 * Opens the file to import.
 *
 * @throws CliError if the file cannot be read
 */
async function openSource(file: string) {
  if (file === '-') return { chunks: process.stdin, size: 0 };
  try {
    const { size } = await stat(file);
    const handle = await open(file);
    return { chunks: createReadStream('', { fd: handle }), size };
  } catch (error) {
    throw new CliError(`${file} cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
}

/**
 * Makes a new file.
 *
 * @throws CliError if the file exists: it may be the one to import
 */
async function newFile(path: string): Promise<WriteStream> {
  const file = createWriteStream(path, { flags: 'wx', mode: 0o600 });
  try {
    await once(file, 'open');
    return file;
  } catch (error) {
    throw new CliError(`${path} cannot be created: ${(error as NodeJS.ErrnoException).code}`);
  }
}

/**
 * Reports lines that were refused or imported in part: in the report file, or the first ones on the standard
 * error.
 */
class LineReport {
  private count = 0;

  constructor(private readonly report: WriteStream | undefined) {}

  add(line: RefusedLine | LineNote, sentence: string): void {
    this.count++;
    if (this.report) this.report.write(`${JSON.stringify(line)}\n`);
    else if (this.count <= SHOWN) printError(`line ${line.line}: ${sentence}`);
  }

  async end(): Promise<void> {
    if (this.report) {
      this.report.end();
      await once(this.report, 'close');
    } else if (this.count > SHOWN) {
      printError(`and ${this.count - SHOWN} more: --report writes them all to a file`);
    }
  }
}
