import { isIP } from 'node:net';
import { z } from 'zod';
import { POSTGRES_WORDS, readPostgresTls } from './postgres-tls.js';
import {
  choice,
  folder,
  integer,
  isHostname,
  isNetwork,
  isOrigin,
  list,
  urlFault,
} from './setting-types.js';

const trustProxy = z
  .string()
  .default('off')
  .transform((text, ctx): false | number | string[] => {
    if (text === 'off') return false;
    if (/^[1-9]$/.test(text)) return Number(text);
    const addresses = list(text);
    if (addresses.length > 0 && addresses.every(isNetwork)) {
      return addresses;
    }
    ctx.addIssue(
      'expected off, a number of proxies (1 to 9), or a comma-separated list of addresses and ' +
        'networks such as 10.0.0.0/8',
    );
    return z.NEVER;
  });

/** Node would read `0` and `127.1` as addresses, and not as the ones that are meant. */
const host = z
  .string()
  .refine((text) => isIP(text) !== 0 || (isHostname(text) && !text.startsWith('[')), {
    error: 'expected an address such as 127.0.0.1, 0.0.0.0 or ::, or the name of this machine',
  })
  .default('localhost');

const databaseUrl = z
  .string()
  .refine((url) => /^sqlite:(?!.*:memory:).+|^postgres(ql)?:\/\/.+/.test(url), {
    error: 'expected sqlite:<path of a file> or postgres://…',
    abort: true,
  })
  .superRefine((url, ctx) => {
    if (url.startsWith('sqlite:')) {
      if (url.includes('?')) ctx.addIssue('a SQLite file takes no words after ?');
      if (/^sqlite:\s*~/.test(url))
        ctx.addIssue('expected a path without ~, which no shell replaces');
      // Elsewhere this means a file in the folder; here it would be one at the root of the disk.
      if (/^sqlite:\/\/[^/]/.test(url))
        ctx.addIssue('expected sqlite:<path>, without // before it');
      return;
    }
    const fault = urlFault(url, POSTGRES_WORDS);
    if (fault !== undefined) {
      ctx.addIssue(fault);
      return;
    }
    try {
      readPostgresTls(url);
    } catch (error) {
      ctx.addIssue((error as Error).message);
    }
  })
  .optional();

const corsOrigins = z
  .string()
  .default('')
  .transform(list)
  .refine((origins) => origins.every(isOrigin), {
    error: 'expected a comma-separated list of exact origins such as https://app.example.com',
  });

/** The process, its listener and its database. */
export const SERVER_SETTINGS = {
  NODE_ENV: choice(['development', 'test', 'production'], 'development').describe(
    '`production` asks for `JWT_SECRET_KEY` (or a key pair) and refuses test settings',
  ),
  HOST: host.describe('Address to listen on; `localhost` is 127.0.0.1 and ::1'),
  PORT: integer(3000, 0, 65_535).describe('Port to listen on; 0 takes a free one'),
  DATA_DIR: folder.default('data').describe('Folder for the SQLite file and made keys'),
  DATABASE_URL: databaseUrl.describe(
    '`sqlite:<path>` or `postgres://…`; by default `latchkey.sqlite` in `DATA_DIR`',
  ),
  BOOTSTRAP_ADMIN: z
    .string()
    .optional()
    .describe(
      'If no user has the role `admin`, the start makes a user of this name with it, and writes a ' +
        'password to `bootstrap-admin` in `DATA_DIR`',
    ),
  LOG_LEVEL: choice(['silent', 'error', 'warn', 'info', 'debug'], 'info').describe(
    'How much is logged',
  ),
  CORS_ORIGINS: corsOrigins.describe('Origins that browsers may call from; none: CORS is off'),
  TRUST_PROXY: trustProxy.describe(
    'Whose `X-Forwarded-For` is believed: `off`, a number of proxies, or their addresses',
  ),
} as const;
