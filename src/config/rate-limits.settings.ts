import { z } from 'zod';
import { LIMITS } from './limits.js';
import { type Rate, RATE_FORM, readRate } from './rate.js';
import { declareSettings, setting } from './setting.js';
import { list } from './setting-schemas.js';
import { urlFault } from './urls.js';

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

const MODES = ['auto', 'on', 'off'] as const;

/** The value of `RATE_LIMITS`: when limits apply, and the rates that differ from the defaults. */
export interface RateLimitsValue {
  mode: (typeof MODES)[number];
  rates: Partial<Record<string, Rate>>;
}

const rateLimits = z
  .string()
  .default('auto')
  .transform((text, ctx): RateLimitsValue => {
    const rates: RateLimitsValue['rates'] = {};
    let mode: RateLimitsValue['mode'] | undefined;
    for (const item of list(text)) {
      const [name = '', value, ...more] = item.split('=').map((part) => part.trim());
      const word = MODES.find((known) => known === name);
      if (word && value === undefined && mode === undefined) {
        mode = word;
        continue;
      }
      const rate = readRate(value ?? '');
      if (!Object.hasOwn(LIMITS, name) || name in rates || more.length > 0) {
        const names = Object.keys(LIMITS).join(', ');
        ctx.addIssue(
          `expected one of ${MODES.join(', ')}, and then name=rate for each of ${names}`,
        );
        return z.NEVER;
      }
      if (!rate) {
        ctx.addIssue(`expected for ${name} ${RATE_FORM}`);
        return z.NEVER;
      }
      rates[name] = rate;
    }
    return { mode: mode ?? 'auto', rates };
  });

const defaults = Object.entries(LIMITS)
  .map(([name, { rate, summary }]) => `\`${name}=${rate}\` (${summary})`)
  .join(', ');

export const RATE_LIMIT_SETTINGS = declareSettings('Rate limits', {
  RATE_LIMITS: setting({
    schema: rateLimits,
    summary:
      'When rate limits apply, and the rates that differ from the defaults. `auto` means on, but outside ' +
      `production not for requests from the same machine. The limits and their defaults: ${defaults}.`,
    example: 'on,login=60/1m,failedPair=3/15m',
  }),
  REDIS_URL: setting({
    schema: redisUrl,
    summary:
      'A Redis server in which several instances count together. By default each instance counts by itself.',
    example: 'redis://127.0.0.1:6379',
  }),
});
