import { writeSync } from 'node:fs';

/** How much text may wait for the end of a turn, in characters. */
const MAX_WAITING = 64 * 1024;

/** The pause before the next attempt if a full pipe takes nothing, in milliseconds. */
const RETRY = 20;

/**
 * Gathers the lines of the log that are written in one turn of the event loop, and passes them on together. A
 * system call for each line would take a tenth of a small request. Only the lines of the last turn are lost if
 * the system kills the process.
 */
export class GatheredLines {
  private lines = '';

  constructor(private readonly output: (text: string) => void = toStandardOutput) {
    process.once('exit', this.flushSync);
  }

  /** Takes a line with its end. */
  write(line: string): void {
    if (this.lines === '') setImmediate(this.flushSync);
    this.lines += line;
    if (this.lines.length > MAX_WAITING) this.flushSync();
  }

  /** Passes on the lines that wait. Pino calls it after a fatal error. */
  readonly flushSync = (): void => {
    if (this.lines === '') return;
    const { lines } = this;
    this.lines = '';
    this.output(lines);
  };
}

/** Writes all of `text`. A full pipe holds up the process; a closed one or a full disk loses the text. */
function toStandardOutput(text: string): void {
  let rest: string | Buffer = text;
  for (let left = Buffer.byteLength(text); left > 0;) {
    try {
      const written = writeSync(1, rest as string);
      left -= written;
      if (left > 0) rest = Buffer.from(rest).subarray(written);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY);
    }
  }
}
