import { Injectable } from '@nestjs/common';
import { Keyring } from '../keys/keyring.js';
import { openText, sealText } from '../keys/secret-box.js';
import type { TotpFactor } from './totp-factor.entity.js';

const PURPOSE = 'latchkey totp';

/**
 * Encrypts the secrets of authenticator apps (AES-256-GCM), with a key for each app that is derived from the
 * server's secret. So a thief of the database can make no codes.
 */
@Injectable()
export class TotpSecrets {
  /** A mark of the server's current secret, which does not reveal it. */
  readonly mark: string;

  constructor(private readonly keyring: Keyring) {
    this.mark = keyring.derive(`${PURPOSE} mark`, '', 8).toString('base64url');
  }

  /** Encrypts the secret of the app `id`. Returns the columns for it. */
  seal(id: string, secret: string): Pick<TotpFactor, 'sealed' | 'sealedBy'> {
    return { sealed: sealText(this.keyring.derive(PURPOSE, id), secret), sealedBy: this.mark };
  }

  /**
   * Decrypts the secret of an app, also one that was encrypted under an older accepted secret. Returns undefined
   * if that secret is not in the settings any more.
   */
  open({ id, sealed }: Pick<TotpFactor, 'id' | 'sealed'>): string | undefined {
    for (const key of this.keyring.deriveAll(PURPOSE, id)) {
      const secret = openText(key, sealed);
      if (secret !== undefined) return secret;
    }
    return undefined;
  }
}
