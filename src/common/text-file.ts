import { readFileSync } from 'node:fs';

/** A text that cannot be read; the message says why, and shows nothing of it. */
export class UnreadableText extends Error {
  override readonly name = 'UnreadableText';
}

/**
 * Reads a text in UTF-8 or, if it begins with a byte order mark, in UTF-16, as Windows programs write
 * it. The mark is no part of the text.
 *
 * @throws UnreadableText if it is neither, or both in parts: PowerShell's `>>` adds UTF-16 to any file
 */
export function decodeText(bytes: Uint8Array): string {
  if (!utf16Of(bytes) && bytes.includes(0)) {
    throw new UnreadableText('part of it is in UTF-16, as PowerShell writes it: save it as UTF-8');
  }
  return decodeInput(bytes);
}

/** As {@link decodeText}, but a NUL is a character like others: its reader says what is wrong with it. */
export function decodeInput(bytes: Uint8Array): string {
  try {
    return new TextDecoder(utf16Of(bytes) ?? 'utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new UnreadableText('it is neither in UTF-8 nor in UTF-16: save it as UTF-8');
  }
}

/** As {@link decodeText}, from a file. @throws UnreadableText, or the error of the file system */
export const readTextFile = (path: string): string => decodeText(readFileSync(path));

/** The bytes of a text of any length in UTF-8, if it is in UTF-16 with a byte order mark; else as they are. */
export async function* asUtf8(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let start: Uint8Array | undefined = new Uint8Array();
  let next = (bytes: Uint8Array): Uint8Array => bytes;
  for await (const chunk of chunks) {
    if (!start) {
      yield next(chunk);
      continue;
    }
    // The mark has two bytes, and a chunk may have one.
    start = Buffer.concat([start, chunk]);
    if (start.length < 2) continue;
    const encoding = utf16Of(start);
    if (encoding) {
      const decoder = new TextDecoder(encoding);
      next = (bytes) => Buffer.from(decoder.decode(bytes, { stream: true }));
    }
    yield next(start);
    start = undefined;
  }
  if (start) yield start;
}

function utf16Of([first, second]: Uint8Array): 'utf-16le' | 'utf-16be' | undefined {
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  return first === 0xfe && second === 0xff ? 'utf-16be' : undefined;
}
