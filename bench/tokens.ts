import { randomBytes } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { SECRET } from './stage.js';

/** Twice the number of tokens that the guard remembers. */
const UNSEEN = 20_000;

/** Returns as many tokens as {@link unseenOf}, with signatures of random bytes. */
export const forgedOf = (authorization: string): string[] =>
  Array.from({ length: UNSEEN }, () =>
    authorization.replace(/[^.]+$/, randomBytes(32).toString('base64url')),
  );

/** Returns a text of the same length that is no token. */
export const scrambled = (authorization: string): string => authorization.replaceAll('.', '~');

/** Returns the same token, signed with the right secret, but expired. */
export const expired = (authorization: string): string =>
  resigned(authorization, { exp: 1_700_000_000 });

/** Returns good tokens, more than the server remembers. */
export const unseenOf = (authorization: string): string[] =>
  Array.from({ length: UNSEEN }, (_, i) => resigned(authorization, { jti: `bench-${i}` }));

export function inTurns<T>(values: T[]): () => T {
  let next = 0;
  return () => values[next++ % values.length] as T;
}

/** Returns the same token with other claims. */
function resigned(authorization: string, claims: jwt.JwtPayload): string {
  const decoded = jwt.decode(authorization.slice('Bearer '.length), { complete: true });
  if (!decoded) throw new Error('not a token');
  const payload = { ...(decoded.payload as jwt.JwtPayload), ...claims };
  return `Bearer ${jwt.sign(JSON.stringify(payload), SECRET, { header: decoded.header })}`;
}
