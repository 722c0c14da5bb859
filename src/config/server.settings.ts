import { isIP } from 'node:net';
import { z } from 'zod';
import { isNetwork } from '../common/network.js';
import { declareSettings, setting } from './setting.js';
import { choice, duration, folder, integer, list } from './setting-schemas.js';
import { isHostname, isHttpUrl, isOrigin } from './urls.js';

const trustProxy = z
  .string()
  .default('off')
  .transform((text, ctx): false | number | string[] => {
    if (text === 'off') return false;
    if (/^[1-9]$/.test(text)) return Number(text);
    const addresses = list(text);
    if (addresses.length > 0 && addresses.every(isNetwork)) return addresses;
    ctx.addIssue(
      'expected off, a number of proxies (1 to 9), or a comma-separated list of addresses and ' +
        'networks such as 10.0.0.0/8',
    );
    return z.NEVER;
  });

/** Node would read `0` and `127.1` as addresses, and not as the intended ones. */
const host = z
  .string()
  .refine((text) => isIP(text) !== 0 || (isHostname(text) && !text.startsWith('[')), {
    error: 'expected an address such as 127.0.0.1, 0.0.0.0 or ::, or the name of this machine',
  })
  .default('localhost');

const publicUrl = z
  .string()
  .optional()
  .transform((text, ctx) => {
    if (text === undefined) return undefined;
    if (isHttpUrl(text)) return new URL(text).href.replace(/\/+$/, '');
    ctx.addIssue('expected an address such as https://accounts.example.com');
    return z.NEVER;
  });

const corsOrigins = z
  .string()
  .default('')
  .transform(list)
  .refine((origins) => origins.every(isOrigin), {
    error: 'expected a comma-separated list of exact origins such as https://app.example.com',
  });

const metricsToken = z
  .string()
  .regex(/^[!-~]{16,}$/, 'expected at least 16 characters that a header can carry, without spaces')
  .optional();

export const SERVER_SETTINGS = declareSettings('Server', {
  NODE_ENV: setting({
    schema: choice(['development', 'test', 'production'], 'development'),
    summary:
      'The mode. `production` requires `JWT_SECRET_KEY` or a key pair, and refuses weak values.',
    example: 'production',
  }),
  HOST: setting({
    schema: host,
    summary: 'The address to listen on. `localhost` means 127.0.0.1 and ::1.',
    example: 'localhost',
  }),
  PORT: setting({
    schema: integer(3000, 0, 65_535),
    summary: 'The port to listen on. With 0 the system chooses a free port.',
    example: '3000',
  }),
  PUBLIC_URL: setting({
    schema: publicUrl,
    summary:
      'The address of this server for its users, used in mailed links. By default it is ' +
      '`http://localhost:PORT`, or the address in `HOST`. Production requires it with `SMTP_URL`.',
    example: 'https://accounts.example.com',
  }),
  DATA_DIR: setting({
    schema: folder.default('data'),
    summary: 'The folder for the SQLite file and for generated keys.',
    example: 'data',
  }),
  LOG_LEVEL: setting({
    schema: choice(['silent', 'error', 'warn', 'info', 'debug'], 'info'),
    summary: 'The least severe level that is logged.',
    example: 'info',
  }),
  CORS_ORIGINS: setting({
    schema: corsOrigins,
    summary:
      'The origins from which browsers may call, separated by commas. Without any, CORS is off.',
    example: 'https://app.example.com',
  }),
  TRUST_PROXY: setting({
    schema: trustProxy,
    summary:
      'The proxies whose `X-Forwarded-For` counts: `off`, the number of proxies, or their addresses.',
    example: '1',
  }),
  SHUTDOWN_DELAY: setting({
    schema: duration('0', 300, 0),
    summary: 'After SIGTERM, `/health/ready` fails for this time before the server stops.',
    example: '10s',
  }),
  DOCS: setting({
    schema: choice(['on', 'off'], 'on'),
    summary: 'Whether `/docs`, `/openapi.json` and `/openapi.yaml` describe the API.',
    example: 'on',
  }),
  METRICS_TOKEN: setting({
    schema: metricsToken,
    summary:
      'The bearer token that `/metrics` requires. Without it, `/metrics` answers only private ' +
      'networks in production.',
    example: '',
    command: 'openssl rand -hex 32',
  }),
});
