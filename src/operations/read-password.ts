import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import type { ReadStream } from 'node:tty';
import { decodeInput } from '../common/text-file.js';
import { CliError, EXIT } from './exit.js';

/** The bytes that are read at most. Every password is shorter. */
const MAX_INPUT_BYTES = 8_192;

/** The terminal for passwords and questions: the standard input and error. */
export interface PasswordTerminal {
  input: NodeJS.ReadableStream & Partial<Pick<ReadStream, 'isTTY'>>;
  output: { write(text: string): unknown };
}

/**
 * Reads a new password. On a terminal it is typed twice and not shown. Otherwise it is the input, without the
 * line's end.
 *
 * @throws CliError if there is none, or the two differ
 */
export async function readPassword(
  terminal: PasswordTerminal = { input: process.stdin, output: process.stderr },
): Promise<string> {
  if (!terminal.input.isTTY) return readAll(terminal.input);
  const password = await ask(terminal, 'Password: ');
  if (password === '') throw new CliError('No password was given');
  if ((await ask(terminal, 'The password again: ')) !== password) {
    throw new CliError('The two passwords are not the same');
  }
  return password;
}

/** Asks a question. Returns true for yes; false for no, and if there is no terminal. */
export async function confirm(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) return false;
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await lines.question(`${question} [y/N] `)).trim());
  } finally {
    lines.close();
  }
}

/**
 * Refuses a password on the command line, where the list of processes and the shell's history would show it.
 *
 * @throws CliError
 */
export function refuseArgument(): never {
  throw new CliError(
    'A password is not accepted as an argument, because the list of processes and the history ' +
      'of the shell show it. Type it when you are asked, or give it on the standard input',
    EXIT.usage,
  );
}

async function ask({ input, output }: PasswordTerminal, question: string): Promise<string> {
  const nowhere = new Writable({
    write: (_chunk, _encoding, done) => {
      done();
    },
  });
  const lines = createInterface({ input, output: nowhere, terminal: true, historySize: 0 });
  output.write(question);
  try {
    return await new Promise((resolve, reject) => {
      const none = (): void => {
        reject(new CliError('No password was given'));
      };
      // Ctrl-C, Ctrl-D, or the terminal is gone.
      lines.once('close', none);
      lines.question('').then(resolve, none);
    });
  } finally {
    lines.close();
    output.write('\n');
  }
}

async function readAll(input: NodeJS.ReadableStream): Promise<string> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of input) {
    parts.push(Buffer.from(part));
    length += part.length;
    if (length > MAX_INPUT_BYTES)
      throw new CliError('The standard input is too long to be a password');
  }
  let text: string;
  try {
    text = decodeInput(Buffer.concat(parts));
  } catch {
    throw new CliError('The password on the standard input is not in UTF-8');
  }
  const password = text.replace(/\r?\n$/, '');
  if (password === '') throw new CliError('There is no password on the standard input');
  return password;
}
