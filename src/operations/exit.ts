/** The exit codes of a program, for scripts. */
export const EXIT = {
  /** The command failed. */
  failed: 1,
  /** The command line was not understood. */
  usage: 2,
  /** There is no such user. */
  noUser: 3,
  /** Some lines of an import were refused. The others are imported. */
  refusedLines: 4,
  /** The audit has no fault, but not all of it could be checked. */
  unchecked: 5,
} as const;

/** Ends the program with one sentence on the standard error and an exit code. */
export class CliError extends Error {
  override readonly name = 'CliError';

  constructor(
    message: string,
    readonly exitCode: number = EXIT.failed,
  ) {
    super(message);
  }
}
