import { Body, Controller, Get, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { PASSWORD_LIMIT } from '../account/account.limits.js';
import { type ChangePasswordBody, changePasswordSchema } from '../account/account.schemas.js';
import { AccountService } from '../account/account.service.js';
import { CurrentRequest } from '../auth/decorators.js';
import { LimitPasswordAttempts } from '../auth/password-attempts.interceptor.js';
import type { OwnRequest } from '../auth/signed-in-user.service.js';
import { requireStepUp } from '../auth/step-up.js';
import { ClientSignal } from '../common/client-signal.js';
import { Documents } from '../html/documents.js';
import { type FormState, freshForm } from '../html/form-state.js';
import { PostForm, SignedInPages } from '../pages/page.decorators.js';
import { pageLanguage } from '../pages/page-language.js';
import { seeOther } from '../pages/see-other.js';
import { openSessionOf, SignedInDocuments } from '../pages/signed-in-documents.js';
import { hasPassword } from '../passwords/stored-hash.js';
import { RateLimit } from '../throttling/rate-limit.guard.js';
import { PasswordPage } from './password.page.js';
import { PASSWORD_TEXTS } from './password.texts.js';

/** The page to change the password, or to set the first one. */
@Controller('account/password')
@SignedInPages()
export class PasswordController {
  constructor(
    private readonly account: AccountService,
    private readonly documents: SignedInDocuments,
    private readonly layout: Documents,
  ) {
    documents.onFailure('/account/password', (request, reply, form) =>
      this.render(request, reply, form),
    );
  }

  @Get()
  show(
    @CurrentRequest() { claims }: OwnRequest,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): string {
    // Without a password to ask for, the form asks for a recent sign-in. A new password is not typed in vain.
    if (!hasPassword(openSessionOf(request).user.passwordHash)) requireStepUp(claims);
    return this.render(request, reply, freshForm());
  }

  @PostForm('')
  @RateLimit(PASSWORD_LIMIT)
  @LimitPasswordAttempts()
  async change(
    @CurrentRequest() own: OwnRequest,
    @Body({ schema: changePasswordSchema }) body: ChangePasswordBody,
    @Res({ passthrough: true }) reply: FastifyReply,
    @ClientSignal() signal: AbortSignal,
  ): Promise<string> {
    await this.account.changePassword(own, body, { signal });
    return seeOther(reply, '/account/password?done=changed');
  }

  private render(request: FastifyRequest, reply: FastifyReply, form: FormState): string {
    const language = pageLanguage(request);
    const texts = PASSWORD_TEXTS[language];
    const { username, passwordHash } = openSessionOf(request).user;
    return this.documents.render(
      request,
      reply,
      {
        title: texts.title,
        done: texts.done,
        scripts: this.layout.newPasswordScripts,
      },
      <PasswordPage
        language={language}
        form={form}
        username={username}
        isFirst={!hasPassword(passwordHash)}
      />,
    );
  }
}
