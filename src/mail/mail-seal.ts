import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Keyring } from '../keys/keyring.js';
import type { MailTemplate, MailValues } from './mail-templates.js';

/** Lengths of AES-GCM's nonce and tag, in bytes. */
const NONCE = 12;
const TAG = 16;

/** What the key is derived for. */
const PURPOSE = 'latchkey mail';

/** What is secret or personal of a stored mail. */
export interface SealedMail<T extends MailTemplate = MailTemplate> {
  to: string;
  locale: string;
  values: MailValues[T];
  /** Seconds. */
  validFor: number;
}

/**
 * Encrypts what is put into the outbox (AES-256-GCM, a key for each mail derived from the server's
 * secret), so that a stolen database holds no link that could still be followed.
 */
@Injectable()
export class MailSeal {
  constructor(private readonly keyring: Keyring) {}

  /** `content` as text that only a server with the same secret opens, for the mail `id`. */
  seal(id: string, content: SealedMail): string {
    const nonce = randomBytes(NONCE);
    const cipher = createCipheriv('aes-256-gcm', this.keyring.derive(PURPOSE, id), nonce);
    const body = [cipher.update(JSON.stringify(content), 'utf8'), cipher.final()];
    return Buffer.concat([nonce, cipher.getAuthTag(), ...body]).toString('base64url');
  }

  /**
   * What was sealed, also by the secret of before a rotation.
   *
   * @throws Error where it was sealed for another mail, by another secret, or was changed
   */
  open(id: string, sealed: string): SealedMail {
    const bytes = Buffer.from(sealed, 'base64url');
    for (const key of this.keyring.deriveAll(PURPOSE, id)) {
      const text = decrypt(key, bytes);
      if (text !== undefined) return JSON.parse(text) as SealedMail;
    }
    throw new Error('It was sealed by a secret that is not here');
  }
}

function decrypt(key: Buffer, bytes: Buffer): string | undefined {
  const nonce = bytes.subarray(0, NONCE);
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG });
  try {
    decipher.setAuthTag(bytes.subarray(NONCE, NONCE + TAG));
    const body = [decipher.update(bytes.subarray(NONCE + TAG)), decipher.final()];
    return Buffer.concat(body).toString('utf8');
  } catch {
    return undefined;
  }
}
