import { Body, Controller, Get, HttpCode, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { CurrentRequest } from '../auth/decorators.js';
import { AllowBeforeEnrolment } from '../auth/enrolment.js';
import type { OwnRequest } from '../auth/signed-in-user.service.js';
import { StepUp } from '../auth/step-up.guard.js';
import { requiredString } from '../common/validation.js';
import { type FormState, freshForm } from '../html/form-state.js';
import { BrowserSessionsService } from '../pages/browser-sessions.service.js';
import { PostForm, SignedInPages } from '../pages/page.decorators.js';
import { pageLanguage } from '../pages/page-language.js';
import { seeOther } from '../pages/see-other.js';
import { openSessionOf, SignedInDocuments } from '../pages/signed-in-documents.js';
import { RateLimit } from '../throttling/rate-limit.guard.js';
import { qrCodeOf } from '../totp/qr-code.js';
import { CONFIRM_LIMIT, ENROL_LIMIT } from '../totp/totp.limits.js';
import { confirmTotpSchema, enrolTotpSchema } from '../totp/totp.schemas.js';
import { TotpService } from '../totp/totp.service.js';
import { NewAppPage, ScanPage } from './app.page.js';
import { FactorDocuments } from './factor-documents.js';
import { FACTORS_TEXTS } from './factors.texts.js';
import { emptied } from './form-fields.js';

const startSchema = z.preprocess(
  (form) => ({ name: emptied((form as { name?: unknown } | undefined)?.name) }),
  enrolTotpSchema,
);
const confirmSchema = confirmTotpSchema.extend({ id: requiredString('id') });

/** An enrolment's address, as the form brings it back. Only its own user sees it. */
const URI = /^otpauth:\/\/totp\/.{1,1000}$/;

/** The pages to add an authenticator app: its name, then its secret, which a code confirms. */
@Controller('account/factors/app')
@SignedInPages()
@AllowBeforeEnrolment()
export class AppsController {
  constructor(
    private readonly totp: TotpService,
    private readonly sessions: BrowserSessionsService,
    private readonly pages: FactorDocuments,
    private readonly documents: SignedInDocuments,
  ) {
    documents.onFailure('/account/factors/app', (request, reply, form) =>
      this.render(request, reply, form),
    );
    documents.onFailure('/account/factors/app/confirm', (request, reply, form, { code }) => {
      const { id = '', uri = '' } = form.values;
      // An enrolment that has expired begins anew.
      if (code === 'not_found' || !URI.test(uri)) return this.render(request, reply, form);
      return this.scan(request, reply, { id, uri }, form);
    });
  }

  @Get()
  show(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): string {
    const { defaultName } = FACTORS_TEXTS[pageLanguage(request)].app;
    return this.render(request, reply, freshForm({ name: defaultName }));
  }

  @PostForm('')
  @HttpCode(200)
  @StepUp()
  @RateLimit(ENROL_LIMIT)
  async start(
    @CurrentRequest() own: OwnRequest,
    @Body({ schema: startSchema }) { name }: z.infer<typeof startSchema>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    return this.scan(request, reply, await this.totp.start(own, name ?? undefined), freshForm());
  }

  @PostForm('confirm')
  @HttpCode(200)
  @StepUp()
  @RateLimit(CONFIRM_LIMIT)
  async confirm(
    @CurrentRequest() own: OwnRequest,
    @Body({ schema: confirmSchema }) { id, code }: z.infer<typeof confirmSchema>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const codes = await this.totp.confirm(own, id, code);
    await this.sessions.renew(reply, openSessionOf(request));
    if (codes) return this.pages.recoveryCodes(request, reply, codes);
    return seeOther(reply, '/account/factors?done=added');
  }

  private render(request: FastifyRequest, reply: FastifyReply, form: FormState): string {
    const language = pageLanguage(request);
    const { title } = FACTORS_TEXTS[language].app;
    const page = <NewAppPage language={language} form={form} />;
    return this.documents.render(request, reply, { title }, page);
  }

  private scan(
    request: FastifyRequest,
    reply: FastifyReply,
    { id, uri }: { id: string; uri: string },
    form: FormState,
  ): string {
    const language = pageLanguage(request);
    const { title } = FACTORS_TEXTS[language].app;
    const page = <ScanPage language={language} form={form} id={id} uri={uri} qr={qrCodeOf(uri)} />;
    return this.documents.render(request, reply, { title }, page);
  }
}
