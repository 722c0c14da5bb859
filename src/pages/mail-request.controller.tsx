import { Body, Controller, Get, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { fieldsOf } from '../common/request-of.js';
import { Documents } from '../html/documents.js';
import { failedForm, type FormState, freshForm } from '../html/form-state.js';
import { EmailVerificationService } from '../recovery/email-verification.service.js';
import { MailLimit } from '../recovery/mail-limit.js';
import { PasswordResetService } from '../recovery/password-reset.service.js';
import { type AddressBody, addressSchema } from '../recovery/recovery.schemas.js';
import { RateLimit } from '../throttling/rate-limit.guard.js';
import { MailRequestPage } from './mail-request.page.js';
import { FORGOT_PASSWORD_TEXTS, VERIFICATION_TEXTS } from './mail-request.texts.js';
import { PostForm, PublicPages } from './page.decorators.js';
import { pageLanguage } from './page-language.js';
import { PageViews } from './page-views.js';
import { seeOther } from './see-other.js';

const TEXTS = { '/forgot-password': FORGOT_PASSWORD_TEXTS, '/verification': VERIFICATION_TEXTS };

type Path = keyof typeof TEXTS;

/**
 * The pages to ask for a link: to set a new password, or to verify the address of an account. Every address gets
 * the same answer.
 */
@PublicPages()
@Controller()
export class MailRequestController {
  constructor(
    private readonly resets: PasswordResetService,
    private readonly verifications: EmailVerificationService,
    private readonly mails: MailLimit,
    private readonly documents: Documents,
    views: PageViews,
  ) {
    for (const path of Object.keys(TEXTS) as Path[]) {
      views.onFailure(path, (request, reply, error) => {
        const form = failedForm(error, fieldsOf(request), pageLanguage(request));
        return this.render(request, reply, path, form);
      });
    }
  }

  @Get('forgot-password')
  forgotPassword(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Query('done') done?: unknown,
  ): string {
    return this.render(request, reply, '/forgot-password', freshForm(), done === 'sent');
  }

  @PostForm('forgot-password')
  @RateLimit('forgot')
  async sendReset(
    @Body({ schema: addressSchema }) { email }: AddressBody,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    await this.mails.take(request, email.emailKey);
    await this.resets.request(email.email, request.headers['accept-language']);
    return seeOther(reply, '/forgot-password?done=sent');
  }

  @Get('verification')
  verification(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Query('done') done?: unknown,
  ): string {
    return this.render(request, reply, '/verification', freshForm(), done === 'sent');
  }

  @PostForm('verification')
  @RateLimit('forgot')
  async sendVerification(
    @Body({ schema: addressSchema }) { email }: AddressBody,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    await this.mails.take(request, email.emailKey);
    await this.verifications.request(email.email, request.headers['accept-language']);
    return seeOther(reply, '/verification?done=sent');
  }

  private render(
    request: FastifyRequest,
    reply: FastifyReply,
    path: Path,
    form: FormState,
    isSent = false,
  ): string {
    const language = pageLanguage(request);
    const texts = TEXTS[path][language];
    return this.documents.render(
      reply,
      { language, title: texts.title },
      <MailRequestPage texts={texts} form={form} action={path} isSent={isSent} />,
    );
  }
}
