import { Body, Controller, Headers, HttpCode, Post, Req } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '../common/api-decorators.js';
import type { FastifyRequest } from 'fastify';
import { acceptedSchema, type AcceptedView } from '../auth/auth.schemas.js';
import { refuses, refusesOverload } from '../auth/openapi.js';
import { ClientSignal } from '../common/client-signal.js';
import { Public } from '../common/public.js';
import { type LinkOrCodeBody, linkOrCodeSchema } from '../mailed-links/link-or-code.js';
import { MailedLinks } from '../mailed-links/mailed-links.js';
import { RateLimit } from '../throttling/rate-limit.guard.js';
import { EmailChangeUndoService } from './email-change-undo.service.js';
import { EmailChangeService } from './email-change.service.js';
import { EmailVerificationService } from './email-verification.service.js';
import { MailLimit } from './mail-limit.js';
import { PasswordResetService } from './password-reset.service.js';
import {
  type AddressBody,
  addressSchema,
  type ResetBody,
  resetSchema,
} from './recovery.schemas.js';

/** The answer for every address, so it does not reveal whether there is an account. */
const ACCEPTED = { msg: 'If there is such an account, a mail is on its way' };

/** The routes that ask for a mailed link or code, or use one, without a sign-in. */
@ApiTags('account')
@Public()
@Controller()
export class RecoveryController {
  constructor(
    private readonly resets: PasswordResetService,
    private readonly verifications: EmailVerificationService,
    private readonly changes: EmailChangeService,
    private readonly undos: EmailChangeUndoService,
    private readonly links: MailedLinks,
    private readonly mails: MailLimit,
  ) {}

  @Post('password/forgot')
  @RateLimit('forgot')
  @HttpCode(202)
  @ApiOperation({ summary: 'Request a mail to set a new password' })
  @ApiResponse({
    status: 202,
    description: 'The same answer for every address',
    standardSchema: acceptedSchema,
  })
  @refuses(400, 'The address is not valid')
  async forgot(
    @Body({ schema: addressSchema }) { email }: AddressBody,
    @Req() request: FastifyRequest,
    @Headers('accept-language') locale?: string,
  ): Promise<AcceptedView> {
    await this.mails.take(request, email.emailKey);
    await this.resets.request(email.email, locale);
    return ACCEPTED;
  }

  @Post('password/reset')
  @RateLimit('login')
  @HttpCode(204)
  @ApiOperation({ summary: 'Set a new password by a mailed link or code, and end all sessions' })
  @ApiResponse({ status: 204, description: 'Set' })
  @refuses(400, 'The link or code is not valid, or the password is weak')
  @refusesOverload()
  async reset(
    @Body({ schema: resetSchema }) body: ResetBody,
    @ClientSignal() signal: AbortSignal,
    @Headers('accept-language') locale?: string,
  ): Promise<void> {
    await this.resets.reset(await this.links.read(body), body.password, { signal, locale });
  }

  @Post('email/verification')
  @RateLimit('forgot')
  @HttpCode(202)
  @ApiOperation({ summary: 'Request the mail that verifies an address again' })
  @ApiResponse({
    status: 202,
    description: 'The same answer for every address',
    standardSchema: acceptedSchema,
  })
  @refuses(400, 'The address is not valid')
  async sendVerification(
    @Body({ schema: addressSchema }) { email }: AddressBody,
    @Req() request: FastifyRequest,
    @Headers('accept-language') locale?: string,
  ): Promise<AcceptedView> {
    await this.mails.take(request, email.emailKey);
    await this.verifications.request(email.email, locale);
    return ACCEPTED;
  }

  @Post('email/verify')
  @RateLimit('login')
  @HttpCode(204)
  @ApiOperation({ summary: 'Verify an e-mail address by a mailed link or code' })
  @ApiResponse({ status: 204, description: 'Verified' })
  @refuses(400, 'The link or code is not valid')
  async verify(@Body({ schema: linkOrCodeSchema }) body: LinkOrCodeBody): Promise<void> {
    await this.verifications.verify(await this.links.read(body));
  }

  @Post('email/confirm')
  @RateLimit('login')
  @HttpCode(204)
  @ApiOperation({ summary: 'Move an account to a new e-mail address by a mailed link or code' })
  @ApiResponse({ status: 204, description: 'Changed' })
  @refuses(400, 'The link or code is not valid')
  async confirm(
    @Body({ schema: linkOrCodeSchema }) body: LinkOrCodeBody,
    @Headers('accept-language') locale?: string,
  ): Promise<void> {
    await this.changes.confirm(await this.links.read(body), locale);
  }

  @Post('email/undo')
  @RateLimit('login')
  @HttpCode(204)
  @ApiOperation({
    summary: 'Undo a change of the e-mail address, and end all sessions and the password',
  })
  @ApiResponse({ status: 204, description: 'Undone; a mail to set a new password is on its way' })
  @refuses(400, 'The link is not valid')
  @refusesOverload()
  async undo(
    @Body({ schema: linkOrCodeSchema }) body: LinkOrCodeBody,
    @Headers('accept-language') locale?: string,
  ): Promise<void> {
    await this.undos.undo(await this.links.read(body), locale);
  }
}
