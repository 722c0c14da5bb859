import { type KeyObject, sign, verify } from 'node:crypto';

/** Tells whether a key needs the code below: jsonwebtoken has no EdDSA. */
export const isEdDsaKey = (key: KeyObject): boolean => key.asymmetricKeyType === 'ed25519';

/** Returns a JWS in compact form, signed by EdDSA on Ed25519 (RFC 8037, section 3.1). */
export function signEdDsa(header: object, payload: object, key: KeyObject): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part(header)}.${part(payload)}`;
  return `${signed}.${sign(null, Buffer.from(signed), key).toString('base64url')}`;
}

/** Verifies the signature of a token whose form and header were checked. */
export function verifyEdDsa(token: string, key: KeyObject): boolean {
  const end = token.lastIndexOf('.');
  const signature = Buffer.from(token.slice(end + 1), 'base64url');
  return verify(null, Buffer.from(token.slice(0, end)), key, signature);
}
