import { Body, Controller, HttpCode, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { tokensSchema, type TokensView } from '../auth/auth.schemas.js';
import { refuses } from '../auth/openapi.js';
import { RefreshCookie } from '../auth/refresh-cookie.js';
import { originOf } from '../auth/sign-in-origin.js';
import { ApiOperation, ApiResponse, ApiTags } from '../common/api-decorators.js';
import { Public } from '../common/public.js';
import { RateLimit } from '../throttling/rate-limit.guard.js';
import { PasskeySignInService } from './passkey-sign-in.service.js';
import {
  type PasskeyOptionsBody,
  passkeyOptionsSchema,
  type PasskeySignInBody,
  passkeySignInSchema,
} from './passkeys.schemas.js';
import { type RequestOptions, requestOptionsSchema } from './passkeys.views.js';

/** Signs users in by passkeys. */
@ApiTags('auth')
@Public()
@Controller('login/passkey')
export class PasskeySignInController {
  constructor(
    private readonly signIns: PasskeySignInService,
    private readonly cookie: RefreshCookie,
  ) {}

  @Post('options')
  @RateLimit({ name: 'passkeyOptions', limit: '60/1m' })
  @HttpCode(200)
  @ApiOperation({ summary: 'Begin a sign-in by passkey, or by one as the second factor' })
  @ApiResponse({ status: 200, description: 'For 5 minutes', standardSchema: requestOptionsSchema })
  @refuses(400, 'A parameter is not valid')
  @refuses(401, 'The sign-in that waits for its second factor has expired or was completed')
  options(
    @Body({ schema: passkeyOptionsSchema }) { challenge }: PasskeyOptionsBody,
    @Req() request: FastifyRequest,
  ): Promise<RequestOptions> {
    return this.signIns.options(originOf(request), challenge);
  }

  @Post()
  @RateLimit('login')
  @HttpCode(200)
  @ApiOperation({ summary: 'Exchange the answer of a passkey for tokens' })
  @ApiResponse({ status: 200, description: 'Tokens', standardSchema: tokensSchema })
  @refuses(400, 'A parameter is missing, or the passkey, its answer or the challenge is not valid')
  @refuses(403, 'The account is disabled, its e-mail address not verified, or the passkey copied')
  async signIn(
    @Body({ schema: passkeySignInSchema }) { response }: PasskeySignInBody,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<TokensView> {
    const tokens = await this.signIns.signIn(response, originOf(request));
    return this.cookie.answerLogin(request, reply, tokens);
  }
}
