import { Body, Controller, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CurrentRequest } from '../auth/decorators.js';
import { AllowBeforeEnrolment } from '../auth/enrolment.js';
import { LimitPasswordAttempts } from '../auth/password-attempts.interceptor.js';
import type { OwnRequest } from '../auth/signed-in-user.service.js';
import { ClientSignal } from '../common/client-signal.js';
import { fieldsOf } from '../common/request-of.js';
import { FactorsService } from '../factors/factors.service.js';
import type { StepUpBody } from '../factors/factors.schemas.js';
import { SecondFactorService } from '../factors/second-factor.service.js';
import { Assets } from '../html/assets.js';
import { ACCOUNT_FIELD } from '../html/fields.js';
import { failedForm, type FormState, freshForm, isSecret } from '../html/form-state.js';
import { BrowserSessionsService } from '../pages/browser-sessions.service.js';
import { Navigation } from '../pages/navigation.js';
import { PostForm, SignedInPages } from '../pages/page.decorators.js';
import { pageLanguage } from '../pages/page-language.js';
import { PageViews } from '../pages/page-views.js';
import { passkeyScript } from '../pages/passkey-button.js';
import { seeOther } from '../pages/see-other.js';
import { openSessionOf, SignedInDocuments } from '../pages/signed-in-documents.js';
import { hasPassword } from '../passwords/stored-hash.js';
import { ConfirmationPage } from './confirmation.page.js';
import { confirmationSchema, PROOF_FIELDS } from './confirmation.schemas.js';
import { CONFIRMATION_TEXTS } from './confirmation.texts.js';

/** The form's own path. */
const CONFIRM = '/account/confirm';

/** The fields by which the form leads back to the action that waits for it. */
const [PATH, METHOD] = ['continue', 'continue_method'];

/**
 * Asks users to prove a credential again, wherever a page refuses by `reauthentication_required`. The form keeps
 * the fields of the refused one, and leads back to its action. So the user loses no input.
 */
@Controller('account')
@SignedInPages()
@AllowBeforeEnrolment()
export class ConfirmationController {
  private readonly script: string;

  constructor(
    private readonly secondFactors: SecondFactorService,
    private readonly factors: FactorsService,
    private readonly sessions: BrowserSessionsService,
    private readonly navigation: Navigation,
    private readonly documents: SignedInDocuments,
    views: PageViews,
    assets: Assets,
  ) {
    this.script = passkeyScript(assets);
    views.onFailure('reauthentication_required', (request, reply) => {
      const waiting = { ...fieldsOf(request), [PATH]: request.url, [METHOD]: request.method };
      return this.render(request, reply, freshForm(), waiting);
    });
    views.onFailure(CONFIRM, (request, reply, error) => {
      if (!request.browserSession) return undefined;
      const body = fieldsOf(request);
      // The code of an app and a recovery code are refused alike.
      const code = body.proof_recovery_code === undefined ? 'code' : 'recovery_code';
      const fields = { ...PROOF_FIELDS, code: PROOF_FIELDS[code] };
      const form = failedForm(error, body, pageLanguage(request), fields);
      return this.render(request, reply, form, body);
    });
  }

  @PostForm('confirm')
  @LimitPasswordAttempts()
  async confirm(
    @CurrentRequest() own: OwnRequest,
    @Body({ schema: confirmationSchema }) proof: StepUpBody,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @ClientSignal() signal: AbortSignal,
  ): Promise<string> {
    const { [PATH]: path, [METHOD]: method } = fieldsOf(request);
    const next = this.navigation.returnPath(path);
    await this.secondFactors.stepUp(own, proof, request, { signal });
    await this.sessions.renew(reply, openSessionOf(request));
    const sendsAgain = method === 'POST' && next === path && !next.startsWith(CONFIRM);
    if (!sendsAgain) return seeOther(reply, next);
    // The browser posts the same fields again (RFC 9110, section 15.4.8).
    void reply.status(307).header('location', next);
    return '';
  }

  /** @throws ApiError unauthorized */
  private async render(
    request: FastifyRequest,
    reply: FastifyReply,
    form: FormState,
    waiting: Record<string, unknown>,
  ): Promise<string> {
    const { user } = openSessionOf(request);
    const { factors, recoveryCodesLeft } = await this.factors.list(user.id);
    const language = pageLanguage(request);
    const kinds = new Set(factors.map(({ kind }) => kind));
    return this.documents.render(
      request,
      reply,
      { title: CONFIRMATION_TEXTS[language].title, scripts: [this.script] },
      <ConfirmationPage
        language={language}
        form={form}
        waiting={shown(waiting)}
        returnTo={this.navigation.pageOf(waiting[METHOD], waiting[PATH])}
        username={user.username}
        ways={{
          password: hasPassword(user.passwordHash),
          code: kinds.has('totp'),
          passkey: kinds.has('passkey'),
          recoveryCode: recoveryCodesLeft > 0,
        }}
      />,
    );
  }
}

/** Returns the fields that the form sends along: no secrets, no proofs, and none that each form has. */
function shown(fields: Record<string, unknown>): [name: string, value: string][] {
  return Object.entries(fields).filter(
    (field): field is [string, string] =>
      typeof field[1] === 'string' && !isSecret(field[0]) && field[0] !== ACCOUNT_FIELD,
  );
}
