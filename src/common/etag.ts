import { createHash } from 'node:crypto';

/** Returns a strong `ETag` for `content`. */
export const etagOf = (content: string | Buffer): string =>
  `"${createHash('sha256').update(content).digest('base64url')}"`;

/**
 * Tells whether an `If-None-Match` header names `etag`. It is a list, compared weakly (RFC 9110, section
 * 13.1.2).
 */
export function isKnown(etag: string, ifNoneMatch: string | undefined): boolean {
  const known = (ifNoneMatch ?? '').trim();
  const tags = known.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return known === '*' || tags.includes(etag);
}
