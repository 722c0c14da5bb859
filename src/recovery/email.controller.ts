import { Body, Controller, Headers, HttpCode, Post, Put, Req } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '../common/api-decorators.js';
import type { FastifyRequest } from 'fastify';
import { acceptedSchema, type AcceptedView } from '../auth/auth.schemas.js';
import { CurrentRequest, CurrentUser } from '../auth/decorators.js';
import { TakesCurrentPassword } from '../auth/current-password.js';
import { OwnAccount } from '../auth/impersonation.guard.js';
import { refuses } from '../auth/openapi.js';
import type { OwnRequest } from '../auth/signed-in-user.service.js';
import { ClientSignal } from '../common/client-signal.js';
import type { Subject } from '../keys/access-token.js';
import { RateLimit } from '../throttling/rate-limit.guard.js';
import { EmailChangeService } from './email-change.service.js';
import { EmailVerificationService } from './email-verification.service.js';
import { CHANGE_EMAIL_LIMIT, MailLimit } from './mail-limit.js';
import { type ChangeEmailBody, changeEmailSchema } from './recovery.schemas.js';

/** The signed-in user's own e-mail address. */
@ApiTags('account')
@Controller('me/email')
@OwnAccount()
export class EmailController {
  constructor(
    private readonly changes: EmailChangeService,
    private readonly verifications: EmailVerificationService,
    private readonly mails: MailLimit,
  ) {}

  @Put()
  @RateLimit(CHANGE_EMAIL_LIMIT)
  @TakesCurrentPassword()
  @HttpCode(202)
  @ApiOperation({ summary: 'Request a mail to a new address, which confirms the change' })
  @ApiResponse({
    status: 202,
    description: 'The same answer for every address',
    standardSchema: acceptedSchema,
  })
  @refuses(400, 'The address is not valid')
  async change(
    @CurrentRequest() own: OwnRequest,
    @Body({ schema: changeEmailSchema }) body: ChangeEmailBody,
    @Req() request: FastifyRequest,
    @ClientSignal() signal: AbortSignal,
  ): Promise<AcceptedView> {
    const permit = () => this.mails.take(request, body.email.emailKey);
    await this.changes.request(own, body, permit, { signal });
    return { msg: 'A mail to the new address is on its way; confirm it there' };
  }

  @Post('verification')
  @HttpCode(202)
  @ApiOperation({ summary: 'Request the mail that verifies the address again' })
  @ApiResponse({ status: 202, description: 'Accepted', standardSchema: acceptedSchema })
  @refuses(403, 'The token acts on behalf of another user')
  @refuses(409, 'The account has no e-mail address')
  @refuses(429, 'Too many mails to this address')
  async sendVerification(
    @CurrentUser() { id }: Subject,
    @Req() request: FastifyRequest,
    @Headers('accept-language') locale?: string,
  ): Promise<AcceptedView> {
    const permit = (emailKey: string) => this.mails.take(request, emailKey);
    await this.verifications.resend(id, permit, locale);
    return { msg: 'If the address is not verified yet, a mail to it is on its way' };
  }
}
