import { Body, Controller, Delete, Get, Header, HttpCode, Patch, Put, Res } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '../common/api-decorators.js';
import type { FastifyReply } from 'fastify';
import { CurrentRequest, CurrentUser } from '../auth/decorators.js';
import { TakesCurrentPassword } from '../auth/current-password.js';
import { OwnAccount, RefuseImpersonation } from '../auth/impersonation.guard.js';
import { refuses } from '../auth/openapi.js';
import { RefreshCookie } from '../auth/refresh-cookie.js';
import { type OwnRequest, SignedInUserService } from '../auth/signed-in-user.service.js';
import { ClientSignal } from '../common/client-signal.js';
import type { Subject } from '../keys/access-token.js';
import { RateLimit } from '../throttling/rate-limit.guard.js';
import { EXPORT_LIMIT, PASSWORD_LIMIT, UPDATE_LIMIT } from './account.limits.js';
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
@Controller('me')
@OwnAccount()
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
  @RateLimit(UPDATE_LIMIT)
  @TakesCurrentPassword()
  @ApiOperation({ summary: 'Change username, display name or locale' })
  @ApiResponse({ status: 200, description: 'The account', standardSchema: accountSchema })
  @refuses(400, 'A parameter is not valid')
  @refuses(409, 'The username is taken, looks like another one, or was given up lately')
  async update(
    @CurrentRequest() own: OwnRequest,
    @Body({ schema: updateProfileSchema }) body: UpdateProfileBody,
    @ClientSignal() signal: AbortSignal,
  ): Promise<AccountView> {
    return accountViewOf(await this.account.updateProfile(own, body, { signal }));
  }

  @Get('export')
  @RefuseImpersonation()
  @RateLimit(EXPORT_LIMIT)
  @Header('content-disposition', 'attachment; filename="account.json"')
  @ApiOperation({ summary: 'Export all data about the user, without secrets' })
  @ApiResponse({ status: 200, description: 'A JSON document' })
  export(@CurrentRequest() own: OwnRequest): Promise<Record<string, unknown>> {
    return this.account.export(own);
  }

  @Delete()
  @TakesCurrentPassword()
  @HttpCode(204)
  @ApiOperation({ summary: 'Delete the account and all its data' })
  @ApiResponse({ status: 204, description: 'Deleted' })
  @refuses(409, 'This is the last administrator')
  async delete(
    @CurrentRequest() own: OwnRequest,
    @Body({ schema: deleteAccountSchema }) body: DeleteAccountBody,
    @Res({ passthrough: true }) reply: FastifyReply,
    @ClientSignal() signal: AbortSignal,
  ): Promise<void> {
    await this.account.delete(own, body, { signal });
    this.cookie.clear(reply);
  }

  @Put('password')
  @RateLimit(PASSWORD_LIMIT)
  @TakesCurrentPassword()
  @HttpCode(204)
  @ApiOperation({ summary: 'Change the password, and end all other sessions' })
  @ApiResponse({ status: 204, description: 'Changed' })
  @refuses(400, 'A parameter is missing, or the new password is weak')
  @refuses(409, 'The password was changed in the meantime')
  changePassword(
    @CurrentRequest() own: OwnRequest,
    @Body({ schema: changePasswordSchema }) body: ChangePasswordBody,
    @ClientSignal() signal: AbortSignal,
  ): Promise<void> {
    return this.account.changePassword(own, body, { signal });
  }
}
