import { ApiError } from '../common/api-error.js';

/** The longest token that is read, in characters. */
const MAX_LENGTH = 8_192;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The protected header of a token. */
export type JoseHeader = Record<string, unknown> & { alg: string };

/**
 * Reads the header of a JWS in compact form (RFC 7515, section 7.1). Stricter than libraries: the token has
 * three parts of canonical base64url. The header is an object without duplicate names (section 4), without
 * `crit` and `b64` (RFC 7797). The payload has no duplicate names. The signature is not verified here.
 *
 * @throws ApiError token_malformed
 */
export function readCompactJws(token: string): JoseHeader {
  const parts = token.length <= MAX_LENGTH ? token.split('.') : [];
  if (parts.length !== 3 || !parts.every(isCanonical)) throw new ApiError('token_malformed');
  const header = readObject(parts[0] ?? '');
  if (!header || typeof header.alg !== 'string' || 'crit' in header || 'b64' in header) {
    throw new ApiError('token_malformed');
  }
  return header as JoseHeader;
}

/**
 * Returns the claims of a token whose compact form was checked.
 *
 * @throws ApiError token_malformed
 */
export function readPayload(token: string): Record<string, unknown> {
  const payload = readObject(token.split('.')[1] ?? '');
  if (!payload) throw new ApiError('token_malformed');
  return payload;
}

function isCanonical(part: string): boolean {
  return (
    /^[A-Za-z0-9_-]*$/.test(part) && Buffer.from(part, 'base64url').toString('base64url') === part
  );
}

function readObject(part: string): Record<string, unknown> | undefined {
  try {
    const text = utf8.decode(Buffer.from(part, 'base64url'));
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    // Every member has one colon outside of strings. JSON.parse keeps one member for each name.
    const colons = text.replaceAll(/"(?:[^"\\]|\\.)*"/g, '').split(':').length - 1;
    return colons === countMembers(value) ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function countMembers(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const children = Object.values(value);
  const own = Array.isArray(value) ? 0 : children.length;
  return children.reduce<number>((sum, child) => sum + countMembers(child), own);
}
