import { type Command, CommanderError } from 'commander';
import { reasonUnavailable } from '../common/unavailable.js';
import { CliError, EXIT } from './exit.js';
import { printError } from './print.js';

/**
 * Runs a command as a program. A failure prints one line on the standard error. The exit code (see {@link
 * EXIT}) is 1, or 2 if the command line is wrong.
 */
export async function run(command: Command): Promise<void> {
  // Only this user may read the files that the command writes.
  process.umask(0o077);
  // A reader such as `head` closes the pipe when it has enough.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(0);
  });
  prepare(command);
  try {
    await command.parseAsync();
  } catch (error) {
    // Commander has printed it already.
    if (!(error instanceof CommanderError)) printError(sentence(error));
    process.exitCode = exitCodeOf(error);
  }
}

/** Makes a command and its subcommands throw instead of ending the process. */
function prepare(command: Command): void {
  command.exitOverride().configureOutput({
    // The value of an unknown option may be a secret.
    outputError: (text, write) => {
      write(text.replaceAll(/(--?[\w-]+)=[^\n]*/g, "$1=…'"));
    },
  });
  for (const child of command.commands) prepare(child);
}

function sentence(error: unknown): string {
  const reason = reasonUnavailable(error);
  if (reason !== undefined) return `The database cannot be used: ${reason}`;
  return error instanceof Error ? error.message : String(error);
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CliError) return error.exitCode;
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT.usage;
  return EXIT.failed;
}
