import {
  Body,
  Controller,
  Delete,
  Get,
  Header,
  Headers,
  HttpCode,
  Patch,
  Put,
  Req,
  Res,
} from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '../common/api-decorators.js';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CurrentUser, JwtPayload } from '../auth/decorators.js';
import { LimitPasswordAttempts } from '../auth/password-attempts.interceptor.js';
import { OwnAccount, RefuseImpersonation } from '../auth/impersonation.guard.js';
import { signedInUser } from '../auth/limit-keys.js';
import { refuses } from '../auth/openapi.js';
import { RefreshCookie } from '../auth/refresh-cookie.js';
import { SignedInUserService } from '../auth/signed-in-user.service.js';
import { ClientSignal } from '../common/client-signal.js';
import type { AccessTokenClaims, Subject } from '../keys/access-token.js';
import { RateLimit } from '../throttling/rate-limit.guard.js';
import {
  accountSchema,
  type AccountView,
  accountViewOf,
  type ChangePasswordBody,
  changePasswordSchema,
  type DeleteAccountBody,
  deleteAccountSchema,
  type UpdateProfileBody,
  updateProfileSchema,
} from './account.schemas.js';
import { AccountService } from './account.service.js';

@ApiTags('account')
@ApiBearerAuth()
@Controller('me')
@OwnAccount()
@refuses(401, 'No good access token')
export class AccountController {
  constructor(
    private readonly account: AccountService,
    private readonly users: SignedInUserService,
    private readonly cookie: RefreshCookie,
  ) {}

  @Get()
  @ApiOperation({ summary: 'Get the account of the signed-in user' })
  @ApiResponse({ status: 200, description: 'The account', standardSchema: accountSchema })
  async me(@CurrentUser() { id }: Subject): Promise<AccountView> {
    return accountViewOf(await this.users.find(id));
  }

  @Patch()
  @RateLimit({ name: 'updateAccount', limit: '30/1h', by: signedInUser })
  @LimitPasswordAttempts()
  @ApiOperation({ summary: 'Change username, display name or locale' })
  @ApiResponse({ status: 200, description: 'The account', standardSchema: accountSchema })
  @refuses(400, 'A parameter is not valid')
  @refuses(
    401,
    'No good access token, or a new name with neither a recent sign-in nor the password',
  )
  @refuses(403, 'The current password is wrong, or the token acts on behalf of another user')
  @refuses(409, 'The username is taken, looks like another one, or was given up lately')
  @refuses(503, 'The server is hashing too many passwords; see Retry-After')
  async update(
    @CurrentUser() { id: userId }: Subject,
    @JwtPayload() claims: AccessTokenClaims,
    @Body({ schema: updateProfileSchema }) body: UpdateProfileBody,
    @ClientSignal() signal: AbortSignal,
    @Headers('accept-language') locale?: string,
  ): Promise<AccountView> {
    const own = { userId, claims, locale };
    return accountViewOf(await this.account.updateProfile(own, body, { signal }));
  }

  @Get('export')
  @RefuseImpersonation()
  @RateLimit({ name: 'export', limit: '10/1h', by: signedInUser })
  @Header('content-disposition', 'attachment; filename="account.json"')
  @ApiOperation({ summary: 'Export all data about the user, without secrets' })
  @ApiResponse({ status: 200, description: 'A JSON document' })
  export(
    @CurrentUser() { id: userId }: Subject,
    @JwtPayload() claims: AccessTokenClaims,
    @Headers('accept-language') locale?: string,
  ): Promise<Record<string, unknown>> {
    return this.account.export({ userId, claims, locale });
  }

  @Delete()
  @LimitPasswordAttempts()
  @HttpCode(204)
  @ApiOperation({ summary: 'Delete the account and all its data' })
  @ApiResponse({ status: 204, description: 'Deleted' })
  @refuses(401, 'No good access token, or neither a recent sign-in nor the password')
  @refuses(403, 'The current password is wrong, or the token acts on behalf of another user')
  @refuses(409, 'This is the last administrator')
  @refuses(503, 'The server is hashing too many passwords; see Retry-After')
  async delete(
    @CurrentUser() { id: userId }: Subject,
    @JwtPayload() claims: AccessTokenClaims,
    @Body({ schema: deleteAccountSchema }) body: DeleteAccountBody,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @ClientSignal() signal: AbortSignal,
  ): Promise<void> {
    const locale = request.headers['accept-language'];
    await this.account.delete({ userId, claims, locale }, body, { signal });
    this.cookie.clear(reply);
  }

  @Put('password')
  @RateLimit({ name: 'changePassword', limit: '30/1h', by: signedInUser })
  @LimitPasswordAttempts()
  @HttpCode(204)
  @ApiOperation({ summary: 'Change the password, and end all other sessions' })
  @ApiResponse({ status: 204, description: 'Changed' })
  @refuses(400, 'A parameter is missing, or the new password is weak')
  @refuses(401, 'No good access token, or neither a recent sign-in nor the password')
  @refuses(403, 'The current password is wrong, or the token acts on behalf of another user')
  @refuses(409, 'The password was changed in the meantime')
  @refuses(503, 'The server is hashing too many passwords; see Retry-After')
  changePassword(
    @CurrentUser() { id: userId }: Subject,
    @JwtPayload() claims: AccessTokenClaims,
    @Body({ schema: changePasswordSchema }) body: ChangePasswordBody,
    @ClientSignal() signal: AbortSignal,
    @Headers('accept-language') locale?: string,
  ): Promise<void> {
    return this.account.changePassword({ userId, claims, locale }, body, { signal });
  }
}
