import { Body, Controller, Get, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { fieldsOf } from '../common/request-of.js';
import { Documents } from '../html/documents.js';
import { failedForm, type FormState, freshForm } from '../html/form-state.js';
import { MailLimit } from '../recovery/mail-limit.js';
import { PasswordResetService } from '../recovery/password-reset.service.js';
import { type AddressBody, addressSchema } from '../recovery/recovery.schemas.js';
import { RateLimit } from '../throttling/rate-limit.guard.js';
import { ForgotPasswordPage } from './forgot-password.page.js';
import { FORGOT_PASSWORD_TEXTS } from './forgot-password.texts.js';
import { PostForm, PublicPages } from './page.decorators.js';
import { pageLanguage } from './page-language.js';
import { PageViews } from './page-views.js';
import { seeOther } from './see-other.js';

/** The page to ask for a link to set a new password. Every address gets the same answer. */
@PublicPages()
@Controller('forgot-password')
export class ForgotPasswordController {
  constructor(
    private readonly resets: PasswordResetService,
    private readonly mails: MailLimit,
    private readonly documents: Documents,
    views: PageViews,
  ) {
    views.onFailure('/forgot-password', (request, reply, error) => {
      const form = failedForm(error, fieldsOf(request), pageLanguage(request));
      return this.render(request, reply, form);
    });
  }

  @Get()
  show(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Query('done') done?: unknown,
  ): string {
    return this.render(request, reply, freshForm(), done === 'sent');
  }

  @PostForm('')
  @RateLimit('forgot')
  async send(
    @Body({ schema: addressSchema }) { email }: AddressBody,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    await this.mails.take(request, email.emailKey);
    await this.resets.request(email.email, request.headers['accept-language']);
    return seeOther(reply, '/forgot-password?done=sent');
  }

  private render(
    request: FastifyRequest,
    reply: FastifyReply,
    form: FormState,
    isSent = false,
  ): string {
    const language = pageLanguage(request);
    return this.documents.render(
      reply,
      { language, title: FORGOT_PASSWORD_TEXTS[language].title },
      <ForgotPasswordPage language={language} form={form} isSent={isSent} />,
    );
  }
}
