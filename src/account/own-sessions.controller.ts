import { Controller, Delete, Get, HttpCode, Param } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '../common/api-decorators.js';
import { CurrentUser, JwtPayload } from '../auth/decorators.js';
import { OwnAccount } from '../auth/impersonation.guard.js';
import { refuses } from '../auth/openapi.js';
import { ApiError } from '../common/api-error.js';
import type { AccessTokenClaims, Subject } from '../keys/access-token.js';
import { acrOf } from '../sessions/assurance.js';
import { describeDevice } from '../sessions/device.js';
import { SessionsService } from '../sessions/sessions.service.js';
import { sessionsSchema, type SessionsView } from './account.schemas.js';

@ApiTags('account')
@Controller('me/sessions')
@OwnAccount()
export class OwnSessionsController {
  constructor(private readonly sessions: SessionsService) {}

  @Get()
  @ApiOperation({
    summary: 'List the sessions of the signed-in user, the last used first, at most 100',
  })
  @ApiResponse({ status: 200, description: 'Active sessions', standardSchema: sessionsSchema })
  async list(
    @CurrentUser() user: Subject,
    @JwtPayload() { sid }: AccessTokenClaims,
  ): Promise<SessionsView> {
    const sessions = await this.sessions.active(user.id);
    return {
      sessions: sessions.map((session) => ({
        id: session.id,
        createdAt: session.createdAt.toISOString(),
        lastUsedAt: session.lastUsedAt.toISOString(),
        expiresAt: session.expiresAt.toISOString(),
        device: describeDevice(session.userAgent),
        address: session.address,
        amr: session.amr,
        acr: acrOf(session.aal),
        current: session.id === sid,
      })),
    };
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({ summary: 'End one session' })
  @ApiResponse({ status: 204, description: 'Ended' })
  @refuses(403, 'The token acts on behalf of another user')
  @refuses(404, 'The user has no active session with this id')
  async end(@CurrentUser() user: Subject, @Param('id') id: string): Promise<void> {
    // A NUL is the one character that PostgreSQL cannot even compare.
    const ended = id.includes('\0')
      ? 0
      : await this.sessions.end({ userId: user.id, id }, 'ended_by_user');
    if (ended === 0) throw new ApiError('not_found', { msg: 'There is no such session' });
  }
}
