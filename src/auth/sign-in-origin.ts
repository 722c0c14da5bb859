import type { FastifyRequest } from 'fastify';
import { sha256 } from '../common/digest.js';
import type { Origin } from '../sessions/session-start.service.js';

/** The cookie that tells browsers apart before they are signed in. Over https it has the prefix `__Host-`. */
export const BROWSER_COOKIE = 'latchkey_browser';

/** The cookie with its prefix and without. Another host of the domain can set the one without. */
const COOKIES = ['__Host-', ''].map(
  (prefix) => new RegExp(`(?:^|;) *${prefix}${BROWSER_COOKIE}=([\\w-]{43})(?:;|$)`),
);

/** Returns the device that a request to sign in comes from. */
export const originOf = ({ headers, origin }: FastifyRequest): Origin => ({
  address: origin?.context.address ?? '',
  userAgent: headers['user-agent'] ?? '',
  locale: headers['accept-language'],
  browser: browserOf(headers.cookie),
});

/** Returns the hash of the browser's cookie; undefined if it sent none. */
function browserOf(cookies = ''): string | undefined {
  for (const cookie of COOKIES) {
    const value = cookie.exec(cookies)?.[1];
    if (value !== undefined) return sha256(value);
  }
  return undefined;
}
