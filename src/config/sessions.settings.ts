import { z } from 'zod';
import { declareSettings, setting } from './setting.js';
import { choice, DAY, duration, integer, list } from './setting-schemas.js';

export const SESSION_SETTINGS = declareSettings('Sessions', {
  SESSION_IDLE_EXPIRES: setting({
    schema: duration('30d', 400 * DAY),
    summary: 'A session ends if it is not used for this time.',
    example: '30d',
  }),
  SESSION_ABSOLUTE_EXPIRES: setting({
    schema: duration('90d', 400 * DAY),
    summary: 'A session ends at this age.',
    example: '90d',
  }),
  SESSIONS_PER_USER: setting({
    schema: integer(100, 1, 10_000),
    summary:
      'The largest number of sessions of one user. A further sign-in ends the session that was unused ' +
      'for the longest time.',
    example: '100',
  }),
  REFRESH_RECOVERY_WINDOW: setting({
    schema: duration('1d', 30 * DAY, 0),
    summary:
      'For this time a refresh token returns its successor again if the successor was never used, for ' +
      'clients that lost the answer. 0 turns this off.',
    example: '1d',
  }),
  MFA_REQUIRED: setting({
    schema: z
      .string()
      .default('')
      .transform(list)
      .refine((roles) => roles.every((role) => /^[A-Za-z][\w.:-]{0,63}$/.test(role)), {
        error: 'expected names of roles such as admin,support',
      }),
    summary:
      'Roles whose holders need a second factor. Without one their sessions can only enrol a factor.',
    example: 'admin',
  }),
  AUTH_COOKIES: setting({
    schema: choice(['off', 'on', 'lax', 'cross-site'], 'off'),
    summary:
      'Whether browsers of `CORS_ORIGINS` get the refresh token as a cookie, and not in the body. `on` ' +
      'sets `SameSite=Strict`, and `lax` sets `SameSite=Lax`. `cross-site` sets `SameSite=None`, for ' +
      'front ends on another site; some browsers block such cookies.',
    example: 'on',
  }),
  AUTH_COOKIE_DOMAIN: setting({
    schema: z
      .string()
      .regex(/^(?=.*[a-z])([a-z\d-]+\.)+[a-z\d-]+$/, 'expected a domain such as example.com')
      .optional(),
    summary: 'The domain whose other hosts get the cookie too. By default only this host gets it.',
    example: 'example.com',
    needs: 'AUTH_COOKIES',
  }),
});
