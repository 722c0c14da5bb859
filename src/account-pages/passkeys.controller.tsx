import { Body, Controller, Get, Headers, HttpCode, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { CurrentRequest } from '../auth/decorators.js';
import { AllowBeforeEnrolment } from '../auth/enrolment.js';
import type { OwnRequest } from '../auth/signed-in-user.service.js';
import { StepUp } from '../auth/step-up.guard.js';
import { Assets } from '../html/assets.js';
import { type FormState, freshForm } from '../html/form-state.js';
import { BrowserSessionsService } from '../pages/browser-sessions.service.js';
import { parsed } from '../pages/form.schemas.js';
import { PostForm, SignedInPages } from '../pages/page.decorators.js';
import { pageLanguage } from '../pages/page-language.js';
import { passkeyScript } from '../pages/passkey-button.js';
import { seeOther } from '../pages/see-other.js';
import { openSessionOf, SignedInDocuments } from '../pages/signed-in-documents.js';
import { PASSKEYS_LIMIT } from '../passkeys/passkeys.limits.js';
import { registerPasskeySchema } from '../passkeys/passkeys.schemas.js';
import { PasskeysService } from '../passkeys/passkeys.service.js';
import { knownDevice } from '../sessions/device.js';
import { RateLimit } from '../throttling/rate-limit.guard.js';
import { FactorDocuments } from './factor-documents.js';
import { FACTORS_TEXTS } from './factors.texts.js';
import { SESSIONS_TEXTS } from './sessions.texts.js';
import { NewPasskeyPage } from './passkey.page.js';

const formSchema = z.preprocess((form) => {
  const { name, response } = (form ?? {}) as Record<string, unknown>;
  return { name: name === '' ? undefined : name, response: parsed(response) };
}, registerPasskeySchema);

/** The page to add a passkey. Its script asks the browser for one. */
@Controller('account/factors/passkey')
@SignedInPages()
@AllowBeforeEnrolment()
export class PasskeysController {
  private readonly script: string;

  constructor(
    private readonly passkeys: PasskeysService,
    private readonly sessions: BrowserSessionsService,
    private readonly pages: FactorDocuments,
    private readonly documents: SignedInDocuments,
    assets: Assets,
  ) {
    this.script = passkeyScript(assets);
    documents.onFailure('/account/factors/passkey', (request, reply, form, { status, code }) => {
      // Without room for another passkey, or beyond the limit, there is nothing to try again.
      const mayRetry = status === 400 || code === 'passkey_taken';
      return mayRetry ? this.render(request, reply, form) : pages.list(request, reply, form);
    });
  }

  @Get()
  @StepUp()
  @RateLimit(PASSKEYS_LIMIT)
  show(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    return this.render(request, reply, freshForm());
  }

  @PostForm('')
  @HttpCode(200)
  @StepUp()
  @RateLimit(PASSKEYS_LIMIT)
  async add(
    @CurrentRequest() own: OwnRequest,
    @Body({ schema: formSchema }) body: z.infer<typeof formSchema>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Headers('user-agent') userAgent = '',
  ): Promise<string> {
    const { unknownDevice } = SESSIONS_TEXTS[pageLanguage(request)];
    const name = body.name ?? (knownDevice(userAgent) || unknownDevice);
    const { recovery_codes: codes } = await this.passkeys.register(own, body, name);
    await this.sessions.renew(reply, openSessionOf(request));
    if (codes) return this.pages.recoveryCodes(request, reply, codes);
    return seeOther(reply, '/account/factors?done=added');
  }

  /** The form, with new options for the browser. @throws ApiError too_many_factors */
  private async render(
    request: FastifyRequest,
    reply: FastifyReply,
    form: FormState,
  ): Promise<string> {
    const language = pageLanguage(request);
    const texts = FACTORS_TEXTS[language].passkey;
    const { user } = openSessionOf(request);
    const options = await this.passkeys.options({ userId: user.id });
    const lacksAnswer = Object.keys(form.problems).some((path) => path.startsWith('response'));
    const page = (
      <NewPasskeyPage
        language={language}
        form={lacksAnswer ? { ...form, problems: {}, problem: texts.failed } : form}
        options={options}
      />
    );
    return this.documents.render(
      request,
      reply,
      { title: texts.title, scripts: [this.script] },
      page,
    );
  }
}
