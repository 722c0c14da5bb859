import { z } from 'zod';
import { declareSettings, setting } from '../config/setting.js';
import { list } from '../config/setting-schemas.js';
import { isHttpUrl } from '../config/urls.js';

/** Reads headers in the form of OpenTelemetry's specification. @throws Error if the form is wrong */
function readHeaders(text: string): Record<string, string> {
  const pairs = list(text).map((pair): [string, string] => {
    const [, name = '', value = ''] = /^([\w!#$%&'*+.^`|~-]+)\s*=\s*(.*)$/.exec(pair) ?? [];
    if (name === '') throw new Error('no name');
    return [name, decodeURIComponent(value)];
  });
  return Object.fromEntries(pairs);
}

const headers = z
  .string()
  .transform((text, ctx) => {
    try {
      return readHeaders(text);
    } catch {
      ctx.addIssue('expected name=value,name=value, percent-encoded');
      return z.NEVER;
    }
  })
  .optional();

export const TELEMETRY_SETTINGS = declareSettings('Traces', {
  OTEL_EXPORTER_OTLP_ENDPOINT: setting({
    schema: z
      .string()
      .refine(isHttpUrl, {
        error: 'expected the address of a collector such as http://127.0.0.1:4318',
      })
      .optional(),
    summary: 'The collector that gets traces by OTLP over HTTP. Without it there are no traces.',
    example: 'http://127.0.0.1:4318',
  }),
  OTEL_EXPORTER_OTLP_HEADERS: setting({
    schema: headers,
    summary: 'Headers for the collector, as `name=value,name=value`.',
    example: '',
    needs: 'OTEL_EXPORTER_OTLP_ENDPOINT',
  }),
});
