import { hkdfSync, type KeyObject } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { ApiError } from '../common/api-error.js';
import { Config } from '../config/config.js';
import type { JwtKeys, VerifyKey } from '../config/jwt-keys.js';
import type { JwtAlgorithm } from '../config/tokens.settings.js';
import { readCompactJws } from './compact-jws.js';
import { keyId } from './key-id.js';

/**
 * The media type of access tokens (RFC 9068, section 2.1). It is accepted even if `JWT_TYP` has another
 * value.
 */
const ACCESS_TOKEN_TYPE = 'at+jwt';

/** The length of a signature by an elliptic curve, in bytes. */
const SIGNATURE_BYTES: Partial<Record<JwtAlgorithm, number>> = {
  ES256: 64,
  ES384: 96,
  ES512: 132,
  EdDSA: 64,
};

/** A public key for `/.well-known/jwks.json` (RFC 7517). */
export type PublicJwk = Record<string, unknown> & { kid: string; alg: string; use: 'sig' };

/**
 * Holds the key that signs and the keys that verify. A token's `kid` alone selects the key, and each key
 * works with its own algorithm only.
 */
@Injectable()
export class Keyring {
  readonly algorithm: JwtAlgorithm;
  /** The id of the signing key. */
  readonly kid: string;
  /** The algorithms of all keys. {@link keyFor} decides which one a token must use. */
  readonly algorithms: readonly JwtAlgorithm[];
  /** The public keys, the current one first. Secrets are not among them. */
  readonly publicKeys: readonly PublicJwk[];
  private readonly type: string;
  private readonly keys: ReadonlyMap<unknown, VerifyKey>;
  private readonly secrets: JwtKeys['secrets'];

  constructor({ jwt: { algorithm, type, verifyKeys, secrets } }: Config) {
    this.algorithm = algorithm;
    this.type = type;
    this.secrets = secrets;
    this.keys = new Map(verifyKeys.map((verifyKey) => [keyId(verifyKey.key), verifyKey]));
    this.kid = keyId(verifyKeys[0].key);
    this.algorithms = [...new Set(verifyKeys.map((verifyKey) => verifyKey.algorithm))];
    this.publicKeys = verifyKeys
      .filter(({ key }) => key.type === 'public')
      .map(({ algorithm: alg, key }) => ({
        ...key.export({ format: 'jwk' }),
        kid: keyId(key),
        alg,
        use: 'sig',
      }));
  }

  /**
   * Returns the key for verifying `token`, after strict checks of its form and header. The algorithm is the
   * key's own, so jsonwebtoken, which allows the algorithms of all keys, has no choice left.
   *
   * @throws ApiError token_malformed, token_algorithm_invalid, token_signature_invalid (the key is unknown,
   *   or the signature has the wrong length), token_type_invalid
   */
  keyFor(token: string): KeyObject {
    const header = readCompactJws(token);
    if (!this.algorithms.some((algorithm) => algorithm === header.alg)) {
      throw new ApiError('token_algorithm_invalid');
    }
    const found = this.keys.get(header.kid);
    if (!found) throw new ApiError('token_signature_invalid');
    if (found.algorithm !== header.alg) throw new ApiError('token_algorithm_invalid');
    // jsonwebtoken throws another kind of error at such a signature (RFC 7518, section 3.4).
    const length = SIGNATURE_BYTES[found.algorithm];
    const signature = token.slice(token.lastIndexOf('.') + 1);
    if (length !== undefined && Buffer.byteLength(signature, 'base64url') !== length) {
      throw new ApiError('token_signature_invalid');
    }
    if (header.typ !== ACCESS_TOKEN_TYPE && header.typ !== this.type) {
      throw new ApiError('token_type_invalid');
    }
    return found.key;
  }

  /** Derives a key for another purpose from the server's secret (HKDF-SHA-256, RFC 5869). */
  derive(purpose: string, salt: string, length = 32): Buffer {
    return derived(this.secrets[0], purpose, salt, length);
  }

  /**
   * Like {@link derive}, but for each accepted secret, the current one first. Data from before a rotation
   * opens with one of the others. A derivation costs about 10 µs.
   */
  deriveAll(purpose: string, salt: string, length = 32): Buffer[] {
    return this.secrets.map((secret) => derived(secret, purpose, salt, length));
  }
}

const derived = (secret: KeyObject, purpose: string, salt: string, length: number): Buffer =>
  Buffer.from(hkdfSync('sha256', secret, salt, purpose, length));
