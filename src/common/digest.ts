import { createHash } from 'node:crypto';

/** Returns the SHA-256 of a text, in base64url. Secrets of 256 random bits are stored in this form. */
export const sha256 = (text: string): string =>
  createHash('sha256').update(text).digest('base64url');
