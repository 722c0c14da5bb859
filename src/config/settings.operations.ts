import { z } from 'zod';
import { choice, DAY, duration, integer, isHttpUrl, list } from './setting-types.js';

/** As OpenTelemetry's specification writes them. @throws Error where they are not so written */
function readHeaders(text: string): Record<string, string> {
  const pairs = list(text).map((pair): [string, string] => {
    const [, name = '', value = ''] = /^([\w!#$%&'*+.^`|~-]+)\s*=\s*(.*)$/.exec(pair) ?? [];
    if (name === '') throw new Error('no name');
    return [name, decodeURIComponent(value)];
  });
  return Object.fromEntries(pairs);
}

/** How it uses the database, stops, and is watched. */
export const OPERATIONS_SETTINGS = {
  DATABASE_POOL_SIZE: integer(10, 1, 1000).describe('Connections to PostgreSQL of one instance'),
  DATABASE_TIMEOUT: duration('5s', 60).describe(
    'How long a statement may take, or SQLite waits for a lock; then the answer is 503',
  ),
  DATABASE_WAIT_TIMEOUT: duration('5s', 60).describe(
    'How long a connection to PostgreSQL, or the turn to write to SQLite, is waited for',
  ),
  SHUTDOWN_DELAY: duration('0', 300, 0).describe(
    'How long `/health/ready` says no after SIGTERM, before the server stops',
  ),
  DOCS: choice(['on', 'off'], 'on').describe(
    'Whether the API is described at `/docs`, `/openapi.json` and `/openapi.yaml`',
  ),
  METRICS_TOKEN: z
    .string()
    .regex(
      /^[!-~]{16,}$/,
      'expected at least 16 characters that a header can carry, without spaces',
    )
    .optional()
    .describe(
      'What `/metrics` asks for as a bearer token; without it, production answers private networks alone',
    ),
  OTEL_EXPORTER_OTLP_ENDPOINT: z
    .string()
    .refine(isHttpUrl, {
      error: 'expected the address of a collector such as http://127.0.0.1:4318',
    })
    .optional()
    .describe('Collector that traces are sent to by OTLP over HTTP; if not set, there are none'),
  OTEL_EXPORTER_OTLP_HEADERS: z
    .string()
    .transform((text, ctx) => {
      try {
        return readHeaders(text);
      } catch {
        ctx.addIssue('expected name=value,name=value, percent-encoded');
        return z.NEVER;
      }
    })
    .optional()
    .describe('Headers for it, as `name=value,name=value`'),
  OTEL_SERVICE_NAME: z
    .string()
    .min(1)
    .default('latchkey')
    .describe('Name of this service in traces'),
  AUDIT_RETENTION: duration('400d', 3650 * DAY).describe(
    'How long rows of the audit are kept, addresses and user agents with them',
  ),
} as const;
