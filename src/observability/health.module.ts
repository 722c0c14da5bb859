import { Module } from '@nestjs/common';
import { HealthController } from './health.controller.js';
import { MetricsController } from './metrics.controller.js';

/** How the server is seen from outside: by whoever restarts it, sends it requests, or watches it. */
@Module({ controllers: [HealthController, MetricsController] })
export class HealthModule {}
