import type { Command } from 'commander';

/** Runs a command as a program: a failure is one line on the standard error and the exit code 1. */
export async function run(command: Command): Promise<void> {
  // What is written is for this user's eyes.
  process.umask(0o077);
  try {
    await command.parseAsync();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
