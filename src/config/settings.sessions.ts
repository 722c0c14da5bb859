import { DAY, duration } from './setting-types.js';

/** Sessions and refresh tokens. */
export const SESSION_SETTINGS = {
  SESSION_IDLE_EXPIRES: duration('30d', 400 * DAY).describe('A session ends when unused for this'),
  SESSION_ABSOLUTE_EXPIRES: duration('90d', 400 * DAY).describe('A session ends at this age'),
  REFRESH_REUSE_WINDOW: duration('30s', 300).describe(
    'How long a refresh token gives its successor again, for two tabs that refresh at once',
  ),
} as const;
