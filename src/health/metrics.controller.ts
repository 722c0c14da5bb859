import { createHash, timingSafeEqual } from 'node:crypto';
import { Controller, Get, Header, Headers } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiOkResponse,
  ApiProduces,
  ApiTags,
  ApiUnauthorizedResponse,
} from '@nestjs/swagger';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { ApiError } from '../common/api-error.js';
import { Metrics } from '../common/metrics.js';
import { Public } from '../common/public.js';
import { Config } from '../config/config.js';

/**
 * How often the event loop's lag is looked at, in milliseconds, which is its least value: each time takes a core
 * from a thread that hashes. What lasts less is seen now and then.
 */
const LAG_PRECISION = 50;

/** The numbers that every room keeps, and those of the process, for Prometheus. */
@ApiTags('health')
@Public()
@Controller('metrics')
export class MetricsController {
  private readonly expected: Buffer | undefined;

  constructor(
    private readonly metrics: Metrics,
    { metricsToken }: Config,
  ) {
    this.expected = metricsToken === undefined ? undefined : digest(`Bearer ${metricsToken}`);
    // The event loop's lag, memory, CPU, garbage collection.
    collectDefaultMetrics({
      register: metrics.registry,
      eventLoopMonitoringPrecision: LAG_PRECISION,
    });
  }

  /**
   * In Prometheus' text format. @throws ApiError missing_authorization, unauthorized, where
   * `METRICS_TOKEN` is set
   */
  @Get()
  @ApiBearerAuth()
  @ApiProduces('text/plain')
  @ApiOkResponse({ description: 'Metrics in the text format of Prometheus' })
  @ApiUnauthorizedResponse({ description: '`METRICS_TOKEN` is set and was not sent' })
  @Header('content-type', Registry.PROMETHEUS_CONTENT_TYPE)
  async show(@Headers('authorization') authorization = ''): Promise<string> {
    if (this.expected) {
      if (authorization === '') throw new ApiError('missing_authorization');
      if (!timingSafeEqual(digest(authorization), this.expected)) {
        throw new ApiError('unauthorized', {
          headers: { 'WWW-Authenticate': 'Bearer error="invalid_token"' },
        });
      }
    }
    return this.metrics.registry.metrics();
  }
}

/** Of one length, whatever is sent. */
const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
