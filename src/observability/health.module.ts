import { Module } from '@nestjs/common';
import { HealthController } from './health.controller.js';
import { MetricsController } from './metrics.controller.js';
// Declares the settings of traces, which only app.setup.ts reads.
import './telemetry.settings.js';

/** Shows the server's state to supervisors, proxies and monitoring. */
@Module({ controllers: [HealthController, MetricsController] })
export class HealthModule {}
