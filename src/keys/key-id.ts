import { createHash, hkdfSync, type KeyObject } from 'node:crypto';

/**
 * Returns the id of a key, for the `kid` of tokens: the RFC 7638 thumbprint of a public key. The id of a
 * secret is derived by HKDF and reveals nothing of the secret.
 */
export function keyId(key: KeyObject): string {
  return key.type === 'secret'
    ? Buffer.from(hkdfSync('sha256', key, '', 'latchkey key id', 16)).toString('base64url')
    : thumbprint(key);
}

/**
 * Returns the thumbprint of RFC 7638, section 3: SHA-256 over the required members in lexicographic order.
 */
function thumbprint(key: KeyObject): string {
  const { crv, e, kty, n, x, y } = key.export({ format: 'jwk' });
  // An Ed25519 key has no `y` (RFC 8037, section 2), and JSON leaves it out.
  const members = kty === 'RSA' ? { e, kty, n } : { crv, kty, x, y };
  return createHash('sha256').update(JSON.stringify(members)).digest('base64url');
}
