import { z } from 'zod';
import { choice, DAY, duration, rate, urlFault } from './setting-types.js';

const redisUrl = z
  .string()
  .refine((url) => /^rediss?:\/\/./.test(url), {
    error: 'expected redis://… or rediss://…',
    abort: true,
  })
  .superRefine((url, ctx) => {
    const fault = urlFault(url, ['family', 'keyPrefix']);
    if (fault !== undefined) ctx.addIssue(fault);
    else if (!URL.canParse(url)) ctx.addIssue('expected redis://… or rediss://…');
    else if (!/^(\/\d{0,5})?$/.test(new URL(url).pathname)) {
      ctx.addIssue('expected the number of a database after the host, such as /0');
    }
  })
  .optional();

/** How often a client may ask. */
export const LIMIT_SETTINGS = {
  REDIS_URL: redisUrl.describe(
    '`redis://…`: several instances count together; by default each counts for itself',
  ),
  RATE_LIMITS: choice(['auto', 'on', 'off'], 'auto').describe(
    '`auto`: on, but outside production not for requests from the same machine',
  ),
  LIMIT_LOGIN: rate('30/1m').describe('Logins of one address'),
  LIMIT_REGISTER: rate('60/1h').describe('Registrations of one address'),
  LIMIT_REFRESH: rate('60/1m').describe('Refreshes of one session'),
  LIMIT_FORGOT: rate('10/1h').describe(
    'Requests of one address for mail to an account that is not signed in',
  ),
  LIMIT_MAIL: rate('3/1h').describe(
    'Mails asked for to one mailbox; as many for registrations, and notices while it is not verified',
  ),
  LIMIT_FAILED_ADDRESS: rate('10/1m').describe('Failed logins of one address'),
  LIMIT_FAILED_PAIR: rate('5/15m').describe('Failed logins of one address for one username'),
  LIMIT_FAILED_PAIR_MAX: duration('1h', DAY).describe(
    'How far the wait after that grows when it happens again within a day',
  ),
  LIMIT_FAILED_USERNAME: rate('100/1d').describe('Failed logins for one username, all addresses'),
  LIMIT_FAILED_SLOW: rate('1/1m').describe(
    'Logins for it after that, but from addresses that signed it in before',
  ),
} as const;
