import { z } from 'zod';
import { choice, DAY, duration, integer } from './setting-types.js';
import type { Settings } from './settings.js';

/** Sessions and refresh tokens. */
export const SESSION_SETTINGS = {
  SESSION_IDLE_EXPIRES: duration('30d', 400 * DAY).describe('A session ends when unused for this'),
  SESSION_ABSOLUTE_EXPIRES: duration('90d', 400 * DAY).describe('A session ends at this age'),
  SESSIONS_PER_USER: integer(100, 1, 10_000).describe(
    'How many living sessions a user may have; one more ends the one not used for the longest',
  ),
  REFRESH_REUSE_WINDOW: duration('30s', 300).describe(
    'How long a refresh token gives its successor again, for two tabs that refresh at once',
  ),
  REFRESH_RECOVERY_WINDOW: duration('1d', 30 * DAY, 0).describe(
    'How long it does so if its successor was never used, for clients that lost the answer; 0: never',
  ),
  SESSION_CLEANUP_INTERVAL: duration('1d', 30 * DAY).describe(
    'How often sessions that are over are removed from the database',
  ),
  AUTH_COOKIES: choice(['off', 'on'], 'off').describe(
    'Whether browsers of `CORS_ORIGINS` get the refresh token as a cookie, and not in the body',
  ),
  AUTH_COOKIE_DOMAIN: z
    .string()
    .regex(/^(?=.*[a-z])([a-z\d-]+\.)+[a-z\d-]+$/, 'expected a domain such as example.com')
    .optional()
    .describe('Domain whose other hosts get that cookie too; by default this host alone'),
  AUTH_COOKIE_SAMESITE: choice(['strict', 'lax', 'none'], 'strict').describe(
    'Its `SameSite`: `none` for front ends on another site, which some browsers block',
  ),
} as const;

/** What is wrong with settings of the cookie that are right by themselves. */
export function cookieIssues(
  { AUTH_COOKIE_DOMAIN: domain, AUTH_COOKIE_SAMESITE: sameSite, PUBLIC_URL: url }: Settings,
  production: boolean,
): { name: string; expected: string }[] {
  const host = url === undefined ? undefined : new URL(url).hostname;
  const within = domain === undefined || host === domain || host?.endsWith(`.${domain}`);
  const secure = production || url?.startsWith('https:');
  return [
    ...(within
      ? []
      : [{ name: 'AUTH_COOKIE_DOMAIN', expected: 'the domain of PUBLIC_URL, or one above it' }]),
    ...(sameSite === 'none' && !secure
      ? [{ name: 'AUTH_COOKIE_SAMESITE', expected: 'strict or lax, unless PUBLIC_URL is https://' }]
      : []),
  ];
}
