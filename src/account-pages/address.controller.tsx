import { Body, Controller, Get, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { CurrentRequest } from '../auth/decorators.js';
import type { OwnRequest } from '../auth/signed-in-user.service.js';
import { type FormState, freshForm } from '../html/form-state.js';
import { PostForm, SignedInPages } from '../pages/page.decorators.js';
import { pageLanguage } from '../pages/page-language.js';
import { seeOther } from '../pages/see-other.js';
import { openSessionOf, SignedInDocuments } from '../pages/signed-in-documents.js';
import { EmailChangeService } from '../recovery/email-change.service.js';
import { EmailVerificationService } from '../recovery/email-verification.service.js';
import { CHANGE_EMAIL_LIMIT, MailLimit } from '../recovery/mail-limit.js';
import { changeEmailSchema } from '../recovery/recovery.schemas.js';
import { RateLimit } from '../throttling/rate-limit.guard.js';
import { AddressPage } from './address.page.js';
import { ADDRESS_TEXTS } from './address.texts.js';
import { withoutPassword } from './form-fields.js';

const formSchema = withoutPassword(changeEmailSchema);

/** The page for the e-mail address: to verify it, and to change it. */
@Controller('account/email')
@SignedInPages()
export class AddressController {
  constructor(
    private readonly changes: EmailChangeService,
    private readonly verifications: EmailVerificationService,
    private readonly mails: MailLimit,
    private readonly documents: SignedInDocuments,
  ) {
    for (const path of ['/account/email', '/account/email/verification']) {
      documents.onFailure(path, (request, reply, form) => this.render(request, reply, form));
    }
  }

  @Get()
  show(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): string {
    return this.render(request, reply, freshForm());
  }

  @PostForm('')
  @RateLimit(CHANGE_EMAIL_LIMIT)
  async change(
    @CurrentRequest() own: OwnRequest,
    @Body({ schema: formSchema }) body: z.infer<typeof formSchema>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const permit = () => this.mails.take(request, body.email.emailKey);
    await this.changes.request(own, body, permit);
    return seeOther(reply, '/account/email?done=change-requested');
  }

  @PostForm('verification')
  async sendVerification(
    @CurrentRequest() { userId, locale }: OwnRequest,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const permit = (emailKey: string) => this.mails.take(request, emailKey);
    await this.verifications.resend(userId, permit, locale);
    return seeOther(reply, '/account/email?done=verification-sent');
  }

  private render(request: FastifyRequest, reply: FastifyReply, form: FormState): string {
    const language = pageLanguage(request);
    const texts = ADDRESS_TEXTS[language];
    const { email, emailVerifiedAt } = openSessionOf(request).user;
    return this.documents.render(
      request,
      reply,
      texts,
      <AddressPage
        language={language}
        form={form}
        email={email}
        isVerified={emailVerifiedAt !== null}
      />,
    );
  }
}
