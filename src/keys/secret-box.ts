import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

/** Lengths of AES-GCM's nonce and tag, in bytes. */
const NONCE = 12;
const TAG = 16;

/** Encrypts `text` under a key of 32 bytes (AES-256-GCM). Returns nonce, tag and ciphertext in base64url. */
export function sealText(key: Buffer, text: string): string {
  const nonce = randomBytes(NONCE);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  const body = [cipher.update(text, 'utf8'), cipher.final()];
  return Buffer.concat([nonce, cipher.getAuthTag(), ...body]).toString('base64url');
}

/**
 * Decrypts the result of {@link sealText}. Returns undefined if the key is another one, or the text was
 * changed.
 */
export function openText(key: Buffer, sealed: string): string | undefined {
  const bytes = Buffer.from(sealed, 'base64url');
  const nonce = bytes.subarray(0, NONCE);
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG });
    decipher.setAuthTag(bytes.subarray(NONCE, NONCE + TAG));
    const body = [decipher.update(bytes.subarray(NONCE + TAG)), decipher.final()];
    return Buffer.concat(body).toString('utf8');
  } catch {
    return undefined;
  }
}
