/** A line of a file with its number, from 1 on, or the reason why it could not be read. */
export type Line = { number: number; bytesRead: number } & ({ text: string } | { refused: string });

/** The longest line, in bytes. */
const MAX_LINE_BYTES = 65_536;

const NEWLINE = 0x0a;

/**
 * Yields the non-empty lines of a UTF-8 text, without line ends (`\n` or `\r\n`) and byte order mark. It
 * holds at most a chunk and a line. A longer line is skipped and refused.
 */
export async function* readLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Line> {
  let number = 1;
  let bytesRead = 0;
  let parts: Uint8Array[] = [];
  let length = 0;
  const take = (part: Uint8Array): void => {
    length += part.length;
    if (length <= MAX_LINE_BYTES) parts.push(part);
    else parts = [];
  };
  const line = (): Line | undefined => {
    const whole = Buffer.concat(parts);
    const at = { number: number++, bytesRead };
    const tooLong = length > MAX_LINE_BYTES;
    parts = [];
    length = 0;
    if (tooLong) return { ...at, refused: `The line has more than ${MAX_LINE_BYTES} bytes` };
    const text = decode(whole, at.number === 1);
    if (text === undefined) return { ...at, refused: 'The line is not in UTF-8' };
    return text.trim() === '' ? undefined : { ...at, text };
  };
  for await (const chunk of chunks) {
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(NEWLINE, start);
      if (end === -1) break;
      take(chunk.subarray(start, end));
      bytesRead += end + 1 - start;
      start = end + 1;
      const read = line();
      if (read) yield read;
    }
    take(chunk.subarray(start));
    bytesRead += chunk.length - start;
  }
  const last = length > 0 ? line() : undefined;
  if (last) yield last;
}

function decode(bytes: Uint8Array, isFirst: boolean): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: !isFirst }).decode(bytes);
    return text.endsWith('\r') ? text.slice(0, -1) : text;
  } catch {
    return undefined;
  }
}
