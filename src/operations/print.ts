import { printable } from '../common/printable.js';

/** Writes a line to the standard output, without characters that a terminal would obey. */
export function print(text: string): void {
  console.log(printable(text));
}

/** Writes a line to the standard error, in the same way. */
export function printError(text: string): void {
  console.error(printable(text));
}
