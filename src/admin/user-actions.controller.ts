import { Controller, Delete, HttpCode, Param, Post, Req, UseGuards } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '../common/api-decorators.js';
import type { FastifyRequest } from 'fastify';
import { CurrentUser } from '../auth/decorators.js';
import { RefuseImpersonation } from '../auth/impersonation.guard.js';
import type { ImpersonationTokens } from '../auth/impersonation.service.js';
import { JwtAuthGuard } from '../auth/jwt-auth.guard.js';
import { refuses } from '../auth/openapi.js';
import { Permissions } from '../auth/permissions.guard.js';
import { StepUp } from '../auth/step-up.guard.js';
import { ApiError } from '../common/api-error.js';
import type { Subject } from '../keys/access-token.js';
import { endedSchema, impersonationSchema } from './admin.schemas.js';
import { AdminUsersService } from './admin-users.service.js';
import { FactorResetsService } from './factor-resets.service.js';

@ApiTags('users')
@Controller('users/:id')
@UseGuards(JwtAuthGuard)
@refuses(403, 'A permission is missing, or the other user has more permissions')
@refuses(404, 'There is no such user')
export class UserActionsController {
  constructor(
    private readonly admin: AdminUsersService,
    private readonly factorResets: FactorResetsService,
  ) {}

  @Delete('factors/:factor')
  @StepUp()
  @Permissions('factors:reset')
  @HttpCode(204)
  @ApiOperation({ summary: 'Remove a second factor of a user, or `all`; all sessions end' })
  @ApiResponse({ status: 204, description: 'Removed; the user is told by mail' })
  resetFactors(
    @CurrentUser() actor: Subject,
    @Param('id') id: string,
    @Param('factor') factor: string,
  ): Promise<void> {
    return this.factorResets.reset(actor, id, factor);
  }

  @Post('sessions/revoke')
  @Permissions('sessions:revoke')
  @HttpCode(200)
  @ApiOperation({ summary: 'End all sessions of a user, and refuse their access tokens at once' })
  @ApiResponse({ status: 200, description: 'The number of sessions', standardSchema: endedSchema })
  async endSessions(
    @CurrentUser() actor: Subject,
    @Param('id') id: string,
  ): Promise<{ ended: number }> {
    return { ended: await this.admin.endSessions(actor, id) };
  }

  @Post('password-reset')
  @Permissions('users:write')
  @HttpCode(202)
  @ApiOperation({ summary: 'Mail a user a link to set a new password' })
  @ApiResponse({ status: 202, description: 'The mail is on its way' })
  @refuses(409, 'The user has no e-mail address')
  mailPasswordReset(@CurrentUser() actor: Subject, @Param('id') id: string): Promise<void> {
    return this.admin.mailPasswordReset(actor, id);
  }

  @Post('impersonate')
  @Permissions('users:impersonate')
  @RefuseImpersonation()
  @HttpCode(200)
  @ApiOperation({
    summary: 'Get a token to act on behalf of a user for 15 minutes (RFC 8693 `act`)',
  })
  @ApiResponse({ status: 200, description: 'The token', standardSchema: impersonationSchema })
  impersonate(
    @Req() { authentication }: FastifyRequest,
    @Param('id') id: string,
  ): Promise<ImpersonationTokens> {
    if (!authentication) throw new ApiError('unauthorized');
    return this.admin.impersonate(authentication, id);
  }
}
