import { Controller, Get, Req } from '@nestjs/common';
import {
  ApiOperation,
  ApiResponse,
  ApiServiceUnavailableResponse,
  ApiTags,
} from '../common/api-decorators.js';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { ApiError } from '../common/api-error.js';
import { Readiness } from '../common/readiness.js';
import { Public } from '../common/public.js';
import { Database } from '../database/database.js';

/** The answer of `GET /health/live`. */
const liveSchema = z.object({ status: z.literal('ok') }).meta({ title: 'Live' });

/** The answer of `GET /health/ready`: the name of each part, all of them ready. */
const readySchema = z.record(z.string(), z.literal('ok')).meta({ title: 'Ready' });

/** The longest wait for a part, in milliseconds. */
const TIMEOUT = 2_000;

@ApiTags('health')
@Public()
@Controller('health')
export class HealthController {
  constructor(
    private readonly readiness: Readiness,
    database: Database,
  ) {
    readiness.add('database', () => database.ping());
  }

  /** Answers while the process runs. It depends on no other part. */
  @Get('live')
  @ApiOperation({ summary: 'Check that the process runs' })
  @ApiResponse({ status: 200, description: 'The process runs', standardSchema: liveSchema })
  live(): { status: 'ok' } {
    return { status: 'ok' };
  }

  /**
   * Answers whether requests can be served.
   *
   * @throws ApiError not_ready, with the parts that are not ready
   */
  @Get('ready')
  @ApiOperation({ summary: 'Check that the server can serve requests' })
  @ApiResponse({ status: 200, description: 'The server is ready', standardSchema: readySchema })
  @ApiServiceUnavailableResponse({ description: 'The server is not ready; `msg` names the part' })
  async ready(@Req() request: FastifyRequest): Promise<Record<string, 'ok'>> {
    const { parts } = this.readiness;
    const checks = parts.map(([, check]) => inTime(async () => check()));
    const results = await Promise.allSettled(checks);
    const failed = parts.filter((_part, index) => results[index]?.status === 'rejected');
    if (failed.length > 0) {
      const names = failed.map(([part]) => part).join(', ');
      for (const result of results) {
        if (result.status === 'rejected') request.log.debug({ err: result.reason }, 'not ready');
      }
      throw new ApiError('not_ready', { msg: `Not ready: ${names}` });
    }
    return { status: 'ok', ...Object.fromEntries(parts.map(([part]) => [part, 'ok'])) };
  }
}

async function inTime(check: () => Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error('No answer in time'));
    }, TIMEOUT);
  });
  try {
    await Promise.race([check(), late]);
  } finally {
    clearTimeout(timer);
  }
}
