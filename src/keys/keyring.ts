import { createHash, hkdfSync, type KeyObject } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { ApiError } from '../common/api-error.js';
import { Config } from '../config/config.js';
import { readCompactJws } from './compact-jws.js';

/** The media type of access tokens (RFC 9068, section 2.1). */
export const ACCESS_TOKEN_TYPE = 'at+jwt';

/** A public key for `/.well-known/jwks.json` (RFC 7517). */
export type PublicJwk = Record<string, unknown> & { kid: string; alg: string; use: 'sig' };

/** The key that signs, and the one a token asks for. */
@Injectable()
export class Keyring {
  readonly algorithm: Config['jwt']['algorithm'];
  /** Id of the signing key: its RFC 7638 thumbprint, or for HS* one derived from the secret. */
  readonly kid: string;
  private readonly signingKey: KeyObject;
  private readonly verifyKey: KeyObject;

  constructor(config: Config) {
    ({
      algorithm: this.algorithm,
      signingKey: this.signingKey,
      verifyKey: this.verifyKey,
    } = config.jwt);
    this.kid =
      this.verifyKey.type === 'secret'
        ? this.derive('latchkey key id', '', 16).toString('base64url')
        : thumbprint(this.verifyKey);
  }

  /** The key that new tokens are signed with. */
  get current(): KeyObject {
    return this.signingKey;
  }

  /**
   * The key that `token` has to be verified with, after the strict checks of its form and header.
   *
   * @throws ApiError token_malformed, token_algorithm_invalid, token_signature_invalid (the token
   *   names a key that is not here), token_type_invalid
   */
  keyFor(token: string): KeyObject {
    const header = readCompactJws(token);
    if (header.alg !== this.algorithm) throw new ApiError('token_algorithm_invalid');
    if (header.kid !== this.kid) throw new ApiError('token_signature_invalid');
    if (header.typ !== ACCESS_TOKEN_TYPE) throw new ApiError('token_type_invalid');
    return this.verifyKey;
  }

  /** The public keys; none for HS*. */
  get publicKeys(): PublicJwk[] {
    if (this.verifyKey.type === 'secret') return [];
    const jwk = this.verifyKey.export({ format: 'jwk' });
    return [{ ...jwk, kid: this.kid, alg: this.algorithm, use: 'sig' }];
  }

  /** A key of its own for another purpose, from the server's secret (HKDF-SHA-256, RFC 5869). */
  derive(purpose: string, salt: string, length = 32): Buffer {
    const secret =
      this.signingKey.type === 'secret'
        ? this.signingKey.export()
        : this.signingKey.export({ format: 'der', type: 'pkcs8' });
    return Buffer.from(hkdfSync('sha256', secret, salt, purpose, length));
  }
}

/** RFC 7638, section 3: SHA-256 over the required members in lexicographic order. */
function thumbprint(key: KeyObject): string {
  const { crv, e, kty, n, x, y } = key.export({ format: 'jwk' });
  const members = kty === 'RSA' ? { e, kty, n } : { crv, kty, x, y };
  return createHash('sha256').update(JSON.stringify(members)).digest('base64url');
}
