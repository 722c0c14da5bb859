import { Controller, Get, Headers, Param, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { ApiExcludeController } from '../common/api-decorators.js';
import { ApiError } from '../common/api-error.js';
import { Public } from '../common/public.js';
import { Assets } from './assets.js';

/** Serves the files that pages load. */
@ApiExcludeController()
@Public()
@Controller('assets')
export class AssetsController {
  constructor(private readonly assets: Assets) {}

  @Get(':file')
  serve(
    @Param('file') file: string,
    @Res() reply: FastifyReply,
    @Headers('accept-encoding') accepted?: string,
  ): void {
    const asset = this.assets.find(file);
    if (!asset) throw new ApiError('not_found');
    const { encoding, content } = this.assets.encode(asset, accepted);
    if (encoding) void reply.header('content-encoding', encoding);
    void reply
      .header('cache-control', 'public, max-age=31536000, immutable')
      .header('vary', 'Accept-Encoding')
      .type(asset.type)
      .send(content);
  }
}
