import { Controller, Get, Req } from '@nestjs/common';
import { ApiOkResponse, ApiServiceUnavailableResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { ApiError } from '../common/api-error.js';
import { Database } from '../database/database.js';

/** How long the database may take to answer, in milliseconds. */
const TIMEOUT = 2_000;

@ApiTags('health')
@Controller('health')
export class HealthController {
  constructor(private readonly database: Database) {}

  /** Whether the process runs; asks nothing. */
  @Get('live')
  @ApiOkResponse({ description: 'The process runs' })
  live(): { status: 'ok' } {
    return { status: 'ok' };
  }

  /** Whether requests can be served. @throws ApiError not_ready, naming the part that is not */
  @Get('ready')
  @ApiOkResponse({ description: 'The server can serve requests' })
  @ApiServiceUnavailableResponse({ description: 'It cannot; `msg` says which part is not ready' })
  async ready(@Req() request: FastifyRequest): Promise<{ status: 'ok'; database: 'ok' }> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        reject(new Error('The database did not answer in time'));
      }, TIMEOUT);
    });
    try {
      await Promise.race([this.database.ping(), late]);
      return { status: 'ok', database: 'ok' };
    } catch (cause) {
      request.log.debug({ err: cause }, 'not ready');
      throw new ApiError('not_ready', { msg: 'The database does not answer', cause });
    } finally {
      clearTimeout(timer);
    }
  }
}
