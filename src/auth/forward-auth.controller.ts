import { Controller, Get, Header, Injectable, Res, UseGuards } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { ApiOperation, ApiResponse, ApiTags } from '../common/api-decorators.js';
import type { Subject } from '../keys/access-token.js';
import { CurrentUser } from './decorators.js';
import { JwtAuthGuard } from './jwt-auth.guard.js';
import { refuses } from './openapi.js';

/** Like `JwtAuthGuard`, but a bad token is always a 401: a proxy takes any status but 401 and 403 for a fault of ours. */
@Injectable()
export class ForwardAuthGuard extends JwtAuthGuard {
  protected override refusal(error: unknown): unknown {
    return error;
  }
}

/**
 * Returns a text in the form for a header: percent-encoded as in a URL, with `%` and `,` as well. Two texts
 * never become equal, and none ends the header or the list.
 */
const encoded = (text: string): string =>
  encodeURIComponent(text.toWellFormed()).replaceAll('%40', '@').replaceAll('%3A', ':');

/** Answers a proxy that asks for each request whether it may pass (forward_auth, auth_request). */
@ApiTags('auth')
@Controller('forward-auth')
export class ForwardAuthController {
  @Get()
  @UseGuards(ForwardAuthGuard)
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ summary: 'Tell a proxy the signed-in user, by headers' })
  @ApiResponse({
    status: 200,
    description: 'Signed in: `Remote-User`, `Remote-User-Id` and `Remote-Groups`, percent-encoded',
  })
  @refuses(403, 'The user has to enrol a second factor first')
  whoIs(@CurrentUser() user: Subject, @Res({ passthrough: true }) reply: FastifyReply): void {
    reply.headers({
      'Remote-User': encoded(user.username),
      'Remote-User-Id': encoded(user.id),
      'Remote-Groups': user.roles.map(encoded).join(','),
    });
  }
}
