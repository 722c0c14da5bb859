/** A line of a file, by its number, from 1 on; or why it could not be read. */
export type Line = { number: number; bytesRead: number } & ({ text: string } | { refused: string });

/** The longest line, in bytes. */
const LONGEST = 65_536;

const NEWLINE = 0x0a;

/**
 * The lines of a text in UTF-8 that have something in them, without their ends (`\n` or `\r\n`) and a
 * byte order mark. No more than a chunk and a line are held: a longer line is passed over and refused.
 */
export async function* readLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Line> {
  let number = 1;
  let bytesRead = 0;
  let parts: Uint8Array[] = [];
  let length = 0;
  const take = (part: Uint8Array): void => {
    length += part.length;
    if (length <= LONGEST) parts.push(part);
    else parts = [];
  };
  const line = (): Line | undefined => {
    const whole = Buffer.concat(parts);
    const at = { number: number++, bytesRead };
    const tooLong = length > LONGEST;
    parts = [];
    length = 0;
    if (tooLong) return { ...at, refused: `The line has more than ${LONGEST} bytes` };
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
