import { createHmac } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { SECRET } from './server.js';

/** The claims of an access token, whether it is good or not. */
export const claimsOf = (token: string) => jwt.decode(token) as jwt.JwtPayload;

/** The header of an access token, whether it is good or not. */
export const headerOf = (token: string) =>
  jwt.decode(token, { complete: true })?.header as jwt.JwtHeader;

/** The id of the session of a refresh token. */
export const sessionOf = (refreshToken: string) => refreshToken.split('.')[0] ?? '';

/** A text, or a value as JSON, as a part of a token. */
export const part = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/** An HMAC as the last part of a token. */
export const hmac = (content: string, key: string | Buffer = SECRET, hash = 'sha256') =>
  createHmac(hash, key).update(content).digest('base64url');

/**
 * A token like `token` with other claims or header, signed with the servers' secret: what only a
 * holder of the secret can make. An undefined value leaves the claim out.
 */
export function forge(
  token: string,
  claims: Record<string, unknown> = {},
  header: Record<string, unknown> = {},
  secret = SECRET,
): string {
  const decoded = jwt.decode(token, { complete: true });
  if (!decoded) throw new Error('not a token');
  const payload = JSON.stringify({ ...(decoded.payload as jwt.JwtPayload), ...claims });
  const merged = { ...decoded.header, ...header };
  return jwt.sign(payload, secret, { algorithm: merged.alg as jwt.Algorithm, header: merged });
}

/** A token of exactly this header and payload, texts or values, signed with the servers' secret. */
export function signRaw(header: unknown, payload: unknown): string {
  const content = `${part(header)}.${part(payload)}`;
  return `${content}.${hmac(content)}`;
}
