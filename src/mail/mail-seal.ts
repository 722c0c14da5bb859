import { Injectable } from '@nestjs/common';
import { Keyring } from '../keys/keyring.js';
import { openText, sealText } from '../keys/secret-box.js';
import type { MailTemplate, MailValues } from './mail-templates.js';

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
    return sealText(this.keyring.derive(PURPOSE, id), JSON.stringify(content));
  }

  /**
   * What was sealed, also by the secret of before a rotation.
   *
   * @throws Error where it was sealed for another mail, by another secret, or was changed
   */
  open(id: string, sealed: string): SealedMail {
    for (const key of this.keyring.deriveAll(PURPOSE, id)) {
      const text = openText(key, sealed);
      if (text !== undefined) return JSON.parse(text) as SealedMail;
    }
    throw new Error('It was sealed by a secret that is not here');
  }
}
