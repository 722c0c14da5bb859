import { readFileSync } from 'node:fs';

/** The error for a text that cannot be read. Its message gives the reason, but no part of the text. */
export class UnreadableText extends Error {
  override readonly name = 'UnreadableText';
}

/**
 * Decodes a text in UTF-8, or in UTF-16 if it begins with a byte order mark, as Windows programs write it.
 * The mark is not part of the text.
 *
 * @throws UnreadableText if it is neither, or a mixture: PowerShell's `>>` adds UTF-16 to any file
 */
export function decodeText(bytes: Uint8Array): string {
  if (!utf16Of(bytes) && bytes.includes(0)) {
    throw new UnreadableText('part of it is in UTF-16, as PowerShell writes it: save it as UTF-8');
  }
  return decodeInput(bytes);
}

/** Like {@link decodeText}, but allows a NUL, whose reader reports it in its own words. */
export function decodeInput(bytes: Uint8Array): string {
  try {
    return new TextDecoder(utf16Of(bytes) ?? 'utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new UnreadableText('it is neither in UTF-8 nor in UTF-16: save it as UTF-8');
  }
}

/**
 * Like {@link decodeText}, from a file.
 *
 * @throws UnreadableText, or the error of the file system
 */
export const readTextFile = (path: string): string => decodeText(readFileSync(path));

/**
 * Converts a text of any length to UTF-8, if it is UTF-16 with a byte order mark. Other bytes pass unchanged.
 */
export async function* asUtf8(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let start: Uint8Array | undefined = new Uint8Array();
  let next = (bytes: Uint8Array): Uint8Array => bytes;
  for await (const chunk of chunks) {
    if (!start) {
      yield next(chunk);
      continue;
    }
    // The mark has two bytes, and a chunk may have only one.
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
