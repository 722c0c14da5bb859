import { Body, Controller, Get, HttpCode, Put, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { userSchema, type UserView, viewOf } from '../auth/auth.schemas.js';
import { CurrentUser, JwtPayload } from '../auth/decorators.js';
import { RefuseImpersonation } from '../auth/impersonation.guard.js';
import { JwtAuthGuard } from '../auth/jwt-auth.guard.js';
import { refuses } from '../auth/openapi.js';
import { ClientSignal } from '../common/client-signal.js';
import type { AccessTokenClaims, Subject } from '../keys/access-token.js';
import { type ChangePasswordBody, changePasswordSchema } from './account.schemas.js';
import { AccountService } from './account.service.js';

@ApiTags('account')
@ApiBearerAuth()
@Controller('me')
@UseGuards(JwtAuthGuard)
@refuses(401, 'No good access token')
export class AccountController {
  constructor(private readonly account: AccountService) {}

  @Get()
  @ApiOperation({ summary: "The signed-in user's own account" })
  @ApiResponse({ status: 200, description: 'The user', standardSchema: userSchema })
  async me(@CurrentUser() { id }: Subject): Promise<UserView> {
    return viewOf(await this.account.find(id));
  }

  @Put('password')
  @RefuseImpersonation()
  @HttpCode(204)
  @ApiOperation({ summary: 'Change the password; ends all other sessions' })
  @ApiResponse({ status: 204, description: 'Changed' })
  @refuses(400, 'A parameter is missing, or the new password is weak')
  @refuses(403, 'The present password is not right, or this is not on behalf of oneself')
  @refuses(409, 'The password was changed meanwhile')
  @refuses(503, 'Too many passwords are waiting to be hashed; see Retry-After')
  changePassword(
    @CurrentUser() { id }: Subject,
    @JwtPayload() { sid }: AccessTokenClaims,
    @Body({ schema: changePasswordSchema }) body: ChangePasswordBody,
    @ClientSignal() signal: AbortSignal,
  ): Promise<void> {
    return this.account.changePassword(id, sid, body, { signal });
  }
}
