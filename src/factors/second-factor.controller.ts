import { Body, Controller, HttpCode, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { tokensSchema, type TokensView } from '../auth/auth.schemas.js';
import { refuses } from '../auth/openapi.js';
import { RefreshCookie } from '../auth/refresh-cookie.js';
import { originOf } from '../auth/sign-in-origin.js';
import { ApiOperation, ApiResponse, ApiTags } from '../common/api-decorators.js';
import { Public } from '../common/public.js';
import { RateLimit } from '../throttling/rate-limit.guard.js';
import { type SecondFactorBody, secondFactorSchema } from './factors.schemas.js';
import { SecondFactorService } from './second-factor.service.js';

/** Completes sign-ins by a second factor. */
@ApiTags('auth')
@Public()
@Controller('login')
export class SecondFactorController {
  constructor(
    private readonly secondFactors: SecondFactorService,
    private readonly cookie: RefreshCookie,
  ) {}

  @Post('second-factor')
  @RateLimit('login')
  @HttpCode(200)
  @ApiOperation({ summary: 'Answer the challenge of a sign-in by a second factor' })
  @ApiResponse({ status: 200, description: 'Tokens', standardSchema: tokensSchema })
  @refuses(400, 'A parameter is missing, or the code is wrong')
  @refuses(401, 'The challenge has expired or was answered')
  @refuses(403, 'The account is disabled, or its e-mail address is not verified')
  async prove(
    @Body({ schema: secondFactorSchema }) body: SecondFactorBody,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<TokensView> {
    const tokens = await this.secondFactors.signIn(body, originOf(request), request);
    return this.cookie.answerLogin(request, reply, tokens);
  }
}
