import { type Command, CommanderError } from 'commander';
import { reasonUnavailable } from '../common/unavailable.js';
import { CliError, EXIT } from './exit.js';
import { printError } from './print.js';

/**
 * Runs a command as a program: a failure is one line on the standard error, and the exit code (see
 * {@link EXIT}) 1, or 2 where the command line was not understood.
 */
export async function run(command: Command): Promise<void> {
  // What is written is for this user's eyes.
  process.umask(0o077);
  // Whoever reads it, `head` say, has enough.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(0);
  });
  prepare(command);
  try {
    await command.parseAsync();
  } catch (error) {
    // Commander has said it already.
    if (!(error instanceof CommanderError)) printError(sentence(error));
    process.exitCode = exitCodeOf(error);
  }
}

/** Lets a command and those below it throw where they would end the process. */
function prepare(command: Command): void {
  command.exitOverride().configureOutput({
    // What was given to an unknown option may be a secret.
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
