import { Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { EnrolmentPolicy } from '../auth/enrolment-policy.js';
import { FactorsService } from '../factors/factors.service.js';
import { Assets } from '../html/assets.js';
import { type FormState, freshForm } from '../html/form-state.js';
import { pageLanguage } from '../pages/page-language.js';
import { PageViews } from '../pages/page-views.js';
import { seeOther } from '../pages/see-other.js';
import { openSessionOf, SignedInDocuments } from '../pages/signed-in-documents.js';
import { PasskeysService } from '../passkeys/passkeys.service.js';
import { RelyingParty } from '../passkeys/relying-party.js';
import { FactorsPage } from './factors.page.js';
import { FACTORS_TEXTS } from './factors.texts.js';
import { RecoveryCodesPage } from './recovery-codes.page.js';

/** Renders the pages that several controllers of factors answer with. */
@Injectable()
export class FactorDocuments {
  private readonly scripts: { signal: string; codes: string };

  constructor(
    private readonly factors: FactorsService,
    private readonly passkeys: PasskeysService,
    private readonly party: RelyingParty,
    private readonly enrolment: EnrolmentPolicy,
    private readonly documents: SignedInDocuments,
    views: PageViews,
    assets: Assets,
  ) {
    this.scripts = {
      signal: assets.addModule('passkey-signal', import.meta.url),
      codes: assets.addModule('recovery-codes', import.meta.url),
    };
    // Users that have to enrol a factor first come here from every other page.
    views.onFailure('enrolment_required', (_request, reply) => seeOther(reply, '/account/factors'));
  }

  /** The list of the user's factors. `form` may have the problem of a refused action. */
  async list(
    request: FastifyRequest,
    reply: FastifyReply,
    form: FormState = freshForm(),
  ): Promise<string> {
    const { user, session } = openSessionOf(request);
    const language = pageLanguage(request);
    const texts = FACTORS_TEXTS[language];
    const { passkeys, handle } = await this.passkeys.list(user.id);
    const { factors, recoveryCodesLeft } = await this.factors.list(user.id);
    const ofThisSite = passkeys.filter(({ rpId }) => rpId === this.party.id);
    return this.documents.render(
      request,
      reply,
      {
        title: texts.title,
        done: texts.done,
        scripts: handle === null ? [] : [this.scripts.signal],
      },
      <FactorsPage
        language={language}
        problem={form.problem}
        factors={factors}
        recoveryCodesLeft={recoveryCodesLeft}
        mustEnrol={this.enrolment.mustEnrol(user, session.aal)}
        accepted={
          handle === null
            ? undefined
            : {
                rpId: this.party.id,
                userId: handle,
                allAcceptedCredentialIds: ofThisSite.map(({ credentialId }) => credentialId),
              }
        }
      />,
    );
  }

  /** New recovery codes, which no other page shows again. */
  recoveryCodes(request: FastifyRequest, reply: FastifyReply, codes: string[]): string {
    const language = pageLanguage(request);
    const { title } = FACTORS_TEXTS[language].codes;
    const frame = { title, scripts: [this.scripts.codes] };
    const page = <RecoveryCodesPage language={language} codes={codes} />;
    return this.documents.render(request, reply, frame, page);
  }
}
