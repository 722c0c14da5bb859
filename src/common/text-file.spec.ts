import { Readable } from 'node:stream';
import { asUtf8 } from './text-file.js';

async function read(bytes: Buffer, size: number): Promise<string> {
  function* chunks() {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  }
  const parts: Uint8Array[] = [];
  for await (const part of asUtf8(Readable.from(chunks()))) parts.push(part);
  return Buffer.concat(parts).toString();
}

it.each([1, 2, 3, 7, 100])('reads UTF-16 in chunks of %i bytes', async (size) => {
  const text = 'username\nAda 😀\n';
  const little = Buffer.from(`\ufeff${text}`, 'utf16le');
  expect(await read(little, size)).toBe(text);
  expect(await read(Buffer.from(little).swap16(), size)).toBe(text);
  expect(await read(Buffer.from(text), size)).toBe(text);
  expect(await read(Buffer.from('\ufeffx'), size)).toBe('\ufeffx');
});
