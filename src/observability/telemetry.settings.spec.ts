import { load as loadAll } from '../config/settings.fixture.js';
import { TELEMETRY_SETTINGS } from './telemetry.settings.js';

const load = (env: Record<string, string>) => loadAll(env).of(TELEMETRY_SETTINGS);

it('reads headers, percent-encoded', () => {
  const { OTEL_EXPORTER_OTLP_HEADERS: headers } = load({
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318',
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Basic%20eDp5, x-team = doors',
  });
  expect(headers).toEqual({ authorization: 'Basic eDp5', 'x-team': 'doors' });
});

it.each([
  ['OTEL_EXPORTER_OTLP_ENDPOINT', 'localhost:4318'],
  ['OTEL_EXPORTER_OTLP_HEADERS', 'x=%zz'],
])('refuses %s=%s', (name, value) => {
  expect(() => load({ [name]: value })).toThrow(`  ${name}: expected`);
});
