import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Config } from '../config/config.js';
import { Database } from '../database/database.js';
import { TELEMETRY_SETTINGS } from './telemetry.settings.js';

/** Sends traces of the requests, if the settings name a collector. */
export async function setUpTelemetry(app: NestFastifyApplication, config: Config): Promise<void> {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: collector, OTEL_EXPORTER_OTLP_HEADERS: headers } =
    config.of(TELEMETRY_SETTINGS);
  if (collector === undefined) return;
  // The library is large, so only a server with a collector loads it.
  const { startTelemetry } = await import('./telemetry.js');
  const fastify = app.getHttpAdapter().getInstance();
  startTelemetry(fastify, collector, headers ?? {}, app.get(Database));
}
