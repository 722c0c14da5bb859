import { Body, Controller, Get, HttpCode, Post, Query, Req, Res, UseGuards } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '../common/api-decorators.js';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ClientSignal } from '../common/client-signal.js';
import { Public } from '../common/public.js';
import type { Subject } from '../keys/access-token.js';
import { RateLimit } from '../throttling/rate-limit.guard.js';
import {
  helloSchema,
  type LoginBody,
  loginSchema,
  type LogoutQuery,
  logoutSchema,
  type RefreshBody,
  refreshSchema,
  secondFactorRequiredSchema,
  tokensSchema,
  type TokensView,
} from './auth.schemas.js';
import { AuthService } from './auth.service.js';
import { CurrentUser } from './decorators.js';
import { AllowBeforeEnrolment } from './enrolment.js';
import { LimitPasswordAttempts } from './password-attempts.interceptor.js';
import { JwtAuthGuard } from './jwt-auth.guard.js';
import { sessionOfRefreshToken } from './limit-keys.js';
import { LogoutGuard } from './logout.guard.js';
import { refuses, refusesOverload } from './openapi.js';
import { RefreshCookie, RefreshCookieGuard } from './refresh-cookie.js';
import { originOf } from './sign-in-origin.js';

@ApiTags('auth')
@Controller()
export class AuthController {
  constructor(
    private readonly auth: AuthService,
    private readonly cookie: RefreshCookie,
  ) {}

  @Public()
  @Post('login')
  @RateLimit('login')
  @LimitPasswordAttempts()
  @HttpCode(200)
  @ApiOperation({ summary: 'Exchange username (or e-mail address) and password for tokens' })
  @ApiResponse({ status: 200, description: 'Tokens', standardSchema: tokensSchema })
  @refuses(400, 'A parameter is missing')
  @refuses(
    401,
    'Bad username or password, or a second factor is required',
    secondFactorRequiredSchema,
  )
  @refuses(403, 'The account is disabled, or its e-mail address is not verified')
  @refusesOverload()
  async login(
    @Body({ schema: loginSchema }) body: LoginBody,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @ClientSignal() signal: AbortSignal,
  ): Promise<TokensView> {
    const tokens = await this.auth.login(body, originOf(request), { signal });
    return this.cookie.answerLogin(request, reply, tokens);
  }

  @Public()
  @Post('refresh')
  @RateLimit({ name: 'refresh', by: sessionOfRefreshToken })
  @UseGuards(RefreshCookieGuard)
  @HttpCode(200)
  @ApiOperation({ summary: 'Exchange a refresh token for new tokens' })
  @ApiResponse({ status: 200, description: 'Tokens', standardSchema: tokensSchema })
  @refuses(400, 'The refresh token is missing')
  @refuses(401, 'The refresh token is not valid, or the session has ended')
  async refresh(
    @Body({ schema: refreshSchema }) body: RefreshBody,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<TokensView> {
    const tokens = await this.auth.refresh(body);
    return this.cookie.answerRefresh(request, reply, tokens);
  }

  @Public()
  @Post('logout')
  @AllowBeforeEnrolment()
  @UseGuards(LogoutGuard)
  @HttpCode(204)
  @ApiOperation({ summary: 'End this session, all sessions of the user, or all other sessions' })
  @ApiResponse({ status: 204, description: 'Ended; their access tokens are refused at once' })
  @refuses(400, 'The scope is not valid')
  async logout(
    @Query({ schema: logoutSchema }) { scope }: LogoutQuery,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    await this.auth.logout(request.ownSession, scope);
    if (scope !== 'others') this.cookie.clear(reply);
  }

  @Get('protected')
  @UseGuards(JwtAuthGuard)
  @ApiOperation({ summary: 'An example of a guarded route' })
  @ApiResponse({ status: 200, description: 'A greeting', standardSchema: helloSchema })
  hello(@CurrentUser() user: Subject): { hello_from: string } {
    return { hello_from: user.username };
  }
}
