/** How a program ends, for scripts. */
export const EXIT = {
  /** It could not be done. */
  failed: 1,
  /** The command line was not understood. */
  usage: 2,
  /** There is no such user. */
  noUser: 3,
  /** Some lines of an import were refused; the others are imported. */
  refusedLines: 4,
  /** No fault was found in the audit, but not all of it could be checked. */
  unchecked: 5,
} as const;

/** Ends the program: one sentence for the standard error, and the exit code. */
export class CliError extends Error {
  override readonly name = 'CliError';

  constructor(
    message: string,
    readonly exitCode: number = EXIT.failed,
  ) {
    super(message);
  }
}
