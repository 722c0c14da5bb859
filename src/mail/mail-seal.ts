import { Injectable } from '@nestjs/common';
import { Keyring } from '../keys/keyring.js';
import { openText, sealText } from '../keys/secret-box.js';
import type { MailValues } from './mail-templates.js';

/** The purpose of the derived key. */
const PURPOSE = 'latchkey mail';

/** The secret and personal parts of a stored mail. */
export interface SealedMail {
  to: string;
  locale: string;
  values: MailValues;
  /** Seconds. */
  validFor: number;
}

/**
 * Encrypts stored mails (AES-256-GCM, with a key for each mail that is derived from the server's secret), so a
 * thief of the database gets no valid link.
 */
@Injectable()
export class MailSeal {
  constructor(private readonly keyring: Keyring) {}

  /** Encrypts `content` for the mail `id`. */
  seal(id: string, content: SealedMail): string {
    return sealText(this.keyring.derive(PURPOSE, id), JSON.stringify(content));
  }

  /**
   * Decrypts a mail, also one that was encrypted under an older accepted secret.
   *
   * @throws Error if the text was encrypted for another mail or under another secret, or was changed
   */
  open(id: string, sealed: string): SealedMail {
    for (const key of this.keyring.deriveAll(PURPOSE, id)) {
      const text = openText(key, sealed);
      if (text !== undefined) return JSON.parse(text) as SealedMail;
    }
    throw new Error('The mail was encrypted under a secret that is not in the settings');
  }
}
