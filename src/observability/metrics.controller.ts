import { createHash, timingSafeEqual } from 'node:crypto';
import { Controller, Get, Header, Headers, Req } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiForbiddenResponse,
  ApiOkResponse,
  ApiOperation,
  ApiProduces,
  ApiTags,
  ApiUnauthorizedResponse,
} from '../common/api-decorators.js';
import type { FastifyRequest } from 'fastify';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { ApiError } from '../common/api-error.js';
import { isLocal } from '../common/network.js';
import { Metrics } from '../common/metrics.js';
import { Public } from '../common/public.js';
import { Config } from '../config/config.js';

/**
 * The time between two looks at the event loop's lag, in milliseconds. It is also the least lag shown. Each
 * look takes a core from a hashing thread, and a shorter block is seen only now and then.
 */
const LAG_PRECISION = 50;

/** The headers by which a proxy says that it forwards a request. */
const FORWARDED = ['x-forwarded-for', 'forwarded', 'x-real-ip'];

/** Serves the metrics of all rooms and of the process to Prometheus. */
@ApiTags('health')
@Public()
@Controller('metrics')
export class MetricsController {
  private readonly expected: Buffer | undefined;

  constructor(
    private readonly metrics: Metrics,
    private readonly config: Config,
  ) {
    const { metricsToken } = config;
    this.expected = metricsToken === undefined ? undefined : digest(`Bearer ${metricsToken}`);
    // The event loop's lag, memory, CPU, garbage collection.
    collectDefaultMetrics({
      register: metrics.registry,
      eventLoopMonitoringPrecision: LAG_PRECISION,
    });
  }

  /**
   * Answers in Prometheus' text format.
   *
   * @throws ApiError missing_authorization, unauthorized if `METRICS_TOKEN` is set. Without it, forbidden in
   *   production for clients of other networks, because the numbers tell whether an address has an account.
   */
  @Get()
  @ApiBearerAuth()
  @ApiOperation({ summary: 'Get the metrics of this instance, for Prometheus' })
  @ApiProduces('text/plain')
  @ApiOkResponse({ description: 'The text format of Prometheus', type: String })
  @ApiUnauthorizedResponse({ description: '`METRICS_TOKEN` is set and was not sent' })
  @ApiForbiddenResponse({
    description: '`METRICS_TOKEN` is not set, and the client is not on a private network',
  })
  @Header('content-type', Registry.PROMETHEUS_CONTENT_TYPE)
  async show(
    @Req() request: FastifyRequest,
    @Headers('authorization') authorization = '',
  ): Promise<string> {
    if (this.expected) {
      if (authorization === '') throw new ApiError('missing_authorization');
      if (!timingSafeEqual(digest(authorization), this.expected)) {
        throw new ApiError('unauthorized', {
          headers: { 'WWW-Authenticate': 'Bearer error="invalid_token"' },
        });
      }
    }
    if (!this.expected && this.config.production && !this.isNear(request)) {
      throw new ApiError('forbidden', {
        msg: 'Without METRICS_TOKEN, only private networks may read the metrics',
      });
    }
    return this.metrics.registry.metrics();
  }

  /**
   * Tells whether a request comes from this machine or a private network, through every proxy on its way. A
   * client that a proxy hides or calls `unknown` may be anywhere.
   */
  private isNear({ ip, headers, raw: { socket } }: FastifyRequest): boolean {
    if (!isLocal(socket.remoteAddress ?? '') || !isLocal(ip)) return false;
    if (!FORWARDED.some((name) => name in headers)) return true;
    // Reads nothing before an entry that is not an address: an empty list remains.
    const way = String(headers['x-forwarded-for'] ?? '');
    return this.config.trustProxy !== false && way.split(',').every((one) => isLocal(one.trim()));
  }
}

/** Digests have one length, for any token that the client sends. */
const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
