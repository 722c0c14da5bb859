import { Body, Controller, Headers, HttpCode, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { secondFactorRequiredSchema, tokensSchema, type TokensView } from '../auth/auth.schemas.js';
import { refuses } from '../auth/openapi.js';
import { RefreshCookie } from '../auth/refresh-cookie.js';
import { originOf } from '../auth/sign-in-origin.js';
import { ApiOperation, ApiResponse, ApiTags } from '../common/api-decorators.js';
import { Public } from '../common/public.js';
import { RateLimit } from '../throttling/rate-limit.guard.js';
import {
  mailChallengeSchema,
  type MailChallengeView,
  type MailProofBody,
  mailProofSchema,
  type MailSignInBody,
  mailSignInSchema,
} from './mail-sign-in.schemas.js';
import { MailSignInService } from './mail-sign-in.service.js';
import { MAIL_SIGN_IN_LIMIT } from './mail-sign-in.settings.js';

/** Sign-in by a mailed link or code. */
@ApiTags('auth')
@Public()
@Controller('login/mail')
export class MailSignInController {
  constructor(
    private readonly mailSignIns: MailSignInService,
    private readonly cookie: RefreshCookie,
  ) {}

  @Post()
  @RateLimit(MAIL_SIGN_IN_LIMIT)
  @HttpCode(202)
  @ApiOperation({ summary: 'Ask for a mail to sign in by' })
  @ApiResponse({
    status: 202,
    description: 'The same for every address',
    standardSchema: mailChallengeSchema,
  })
  @refuses(400, 'That is not an e-mail address')
  request(
    @Body({ schema: mailSignInSchema }) { email }: MailSignInBody,
    @Req() request: FastifyRequest,
    @Headers('accept-language') locale?: string,
  ): Promise<MailChallengeView> {
    return this.mailSignIns.request(email, originOf(request), request, locale);
  }

  @Post('verify')
  @RateLimit('login')
  @HttpCode(200)
  @ApiOperation({ summary: 'Sign in by a mailed code, or by the token of a mailed link' })
  @ApiResponse({ status: 200, description: 'Tokens', standardSchema: tokensSchema })
  @refuses(400, 'A parameter is missing, or the code or link is not good')
  @refuses(
    401,
    'The challenge has expired or was completed, or a second factor is required',
    secondFactorRequiredSchema,
  )
  @refuses(403, 'The account is disabled')
  async verify(
    @Body({ schema: mailProofSchema }) body: MailProofBody,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<TokensView> {
    const tokens = await this.mailSignIns.verify(body, originOf(request), request);
    return this.cookie.answerLogin(request, reply, tokens);
  }
}
