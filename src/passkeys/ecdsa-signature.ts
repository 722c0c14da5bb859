/** The longest number in a signature of P-256: 32 bytes, and a zero before a first bit that is set. */
const MAX_NUMBER = 33;

/**
 * Tells whether bytes are an ECDSA signature of P-256 in DER (RFC 3279, section 2.2.3). The library also takes
 * other encodings of the same two numbers, so a changed answer would be accepted.
 */
export function isEcdsaSignature(bytes: Uint8Array): boolean {
  const isSequence = bytes[0] === 0x30 && bytes[1] === bytes.length - 2;
  const r = numberAt(bytes, 2);
  return isSequence && r > 0 && numberAt(bytes, r) === bytes.length;
}

/** Returns the end of a positive number in its shortest form, or 0. */
function numberAt(bytes: Uint8Array, start: number): number {
  const [tag, length = 0, first = 0x80, second = 0] = bytes.subarray(start, start + 4);
  const shortest =
    length > 0 && length <= MAX_NUMBER && !(length > 1 && first === 0 && second < 0x80);
  return tag === 0x02 && first < 0x80 && shortest ? start + 2 + length : 0;
}
