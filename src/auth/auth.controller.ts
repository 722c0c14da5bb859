import { Body, Controller, Get, HttpCode, Post, Req, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { ApiError } from '../common/api-error.js';
import { ClientSignal } from '../common/client-signal.js';
import type { Subject } from '../keys/access-token.js';
import type { User } from '../users/user.entity.js';
import { UsersService } from '../users/users.service.js';
import {
  errorSchema,
  helloSchema,
  type LoginBody,
  loginSchema,
  type RefreshBody,
  refreshSchema,
  type RegisterBody,
  registerSchema,
  tokensSchema,
  type TokensView,
  userSchema,
  type UserView,
} from './auth.schemas.js';
import { AuthService } from './auth.service.js';
import { CurrentUser } from './decorators.js';
import { JwtAuthGuard } from './jwt-auth.guard.js';

const refuses = (status: number, description: string) =>
  ApiResponse({ status, description, standardSchema: errorSchema });

@ApiTags('auth')
@Controller()
export class AuthController {
  constructor(
    private readonly auth: AuthService,
    private readonly users: UsersService,
  ) {}

  @Post('register')
  @ApiOperation({ summary: 'Register a user' })
  @ApiResponse({ status: 201, description: 'The new user', standardSchema: userSchema })
  @refuses(400, 'A parameter is missing or not valid, or the password is weak')
  @refuses(409, 'The username or e-mail address is taken')
  @refuses(503, 'Too many passwords are waiting to be hashed; see Retry-After')
  async register(
    @Body({ schema: registerSchema }) body: RegisterBody,
    @ClientSignal() signal: AbortSignal,
  ): Promise<UserView> {
    return view(await this.auth.register(body, { signal }));
  }

  @Post('login')
  @HttpCode(200)
  @ApiOperation({ summary: 'Exchange username (or e-mail address) and password for tokens' })
  @ApiResponse({ status: 200, description: 'Tokens', standardSchema: tokensSchema })
  @refuses(400, 'A parameter is missing')
  @refuses(401, 'Bad username or password')
  @refuses(503, 'Too many passwords are waiting to be hashed; see Retry-After')
  login(
    @Body({ schema: loginSchema }) body: LoginBody,
    @Req() request: FastifyRequest,
    @ClientSignal() signal: AbortSignal,
  ): Promise<TokensView> {
    const userAgent = request.headers['user-agent'] ?? '';
    return this.auth.login(body, { address: request.ip, userAgent }, { signal });
  }

  @Post('refresh')
  @HttpCode(200)
  @ApiOperation({ summary: 'Exchange a refresh token for new tokens' })
  @ApiResponse({ status: 200, description: 'Tokens', standardSchema: tokensSchema })
  @refuses(400, 'The refresh token is missing')
  @refuses(401, 'The refresh token is not valid, or the session has ended')
  refresh(@Body({ schema: refreshSchema }) body: RefreshBody): Promise<TokensView> {
    return this.auth.refresh(body);
  }

  @Get('protected')
  @UseGuards(JwtAuthGuard)
  @ApiBearerAuth()
  @ApiOperation({ summary: 'An example of a guarded route' })
  @ApiResponse({ status: 200, description: 'A greeting', standardSchema: helloSchema })
  @refuses(401, 'No good access token')
  hello(@CurrentUser() user: Subject): { hello_from: string } {
    return { hello_from: user.username };
  }

  @Get('me')
  @UseGuards(JwtAuthGuard)
  @ApiBearerAuth()
  @ApiOperation({ summary: "The signed-in user's own account" })
  @ApiResponse({ status: 200, description: 'The user', standardSchema: userSchema })
  @refuses(401, 'No good access token')
  async me(@CurrentUser() { id }: Subject): Promise<UserView> {
    const user = await this.users.findById(id);
    if (!user) throw new ApiError('token_revoked');
    return view(user);
  }
}

function view({ id, username, email, roles, createdAt }: User): UserView {
  return { id, username, email, roles, createdAt: createdAt.toISOString() };
}
