import { Body, Controller, Get, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { originOf } from '../auth/sign-in-origin.js';
import type { ApiError } from '../common/api-error.js';
import { fieldsOf } from '../common/request-of.js';
import { FactorKinds } from '../factors/factor-kinds.js';
import { secondFactorSchema } from '../factors/factors.schemas.js';
import { SecondFactorService } from '../factors/second-factor.service.js';
import { Assets } from '../html/assets.js';
import { Documents } from '../html/documents.js';
import { failedForm, type FormState, freshForm } from '../html/form-state.js';
import { RateLimit } from '../throttling/rate-limit.guard.js';
import { jsonField, wishesSchema } from './form.schemas.js';
import { LastWay } from './last-way.js';
import { Navigation } from './navigation.js';
import { PostForm, PublicPages } from './page.decorators.js';
import { pageLanguage } from './page-language.js';
import { PageSignInsService } from './page-sign-ins.service.js';
import { PageViews } from './page-views.js';
import { passkeyScript, unknownPasskey } from './passkey-button.js';
import {
  PROOF_FIELDS,
  type ProofField,
  SecondFactorPage,
  type WaitingSignIn,
} from './second-factor.page.js';
import { SECOND_FACTOR_TEXTS } from './second-factor.texts.js';
import { seeOther } from './see-other.js';

const formSchema = z
  .looseObject({ passkey: jsonField.optional() })
  .pipe(secondFactorSchema.and(wishesSchema));

/** The waiting sign-in in a refused form. */
const waitingSchema = z.object({ challenge: z.string().catch(''), methods: z.string().catch('') });

/** The page for the second factor of a sign-in. Each way in that needs one leads to it. */
@PublicPages()
@Controller('sign-in/second-factor')
export class SecondFactorController {
  private readonly script: string;

  constructor(
    private readonly secondFactors: SecondFactorService,
    private readonly kinds: FactorKinds,
    private readonly signIns: PageSignInsService,
    private readonly navigation: Navigation,
    private readonly documents: Documents,
    lastWay: LastWay,
    assets: Assets,
    views: PageViews,
  ) {
    this.script = passkeyScript(assets);
    views.onFailure('second_factor_required', (request, reply, { details }) => {
      const { challenge, methods } = details as { challenge: string; methods: string[] };
      // The first factor was right.
      lastWay.keep(request, reply);
      // After a status of 4xx, browsers do not offer to save the password.
      void reply.status(200);
      const waiting = { challenge, methods: methods.join(' ') };
      return this.render(request, reply, waiting, freshForm());
    });
    views.onFailure('/sign-in/second-factor', (request, reply, error) =>
      this.showFailure(request, reply, error),
    );
  }

  /** For a browser that opens the address of the form. */
  @Get()
  start(@Res({ passthrough: true }) reply: FastifyReply): string {
    return seeOther(reply, '/sign-in');
  }

  @PostForm('')
  @RateLimit('login')
  async prove(
    @Body({ schema: formSchema }) { remember, return_to, ...body }: z.infer<typeof formSchema>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const tokens = await this.secondFactors.signIn(body, originOf(request), request);
    return this.signIns.finish(request, reply, tokens, { remember, return_to });
  }

  private showFailure(request: FastifyRequest, reply: FastifyReply, error: ApiError): string {
    const body = fieldsOf(request);
    const { challenge, methods } = waitingSchema.parse(body);
    const isOver = error.code === 'challenge_invalid';
    if (isOver || error.fields.some(({ path }) => path === 'challenge')) {
      const next = encodeURIComponent(this.navigation.returnPath(body.return_to));
      return seeOther(reply, `/sign-in?problem=challenge_invalid&return_to=${next}`);
    }
    const tried = PROOF_FIELDS.find((field) => body[field] !== undefined);
    const form = failedForm(error, body, pageLanguage(request), tried && { code: tried });
    return this.render(request, reply, { challenge, methods }, form, { tried, error });
  }

  private render(
    request: FastifyRequest,
    reply: FastifyReply,
    waiting: Pick<WaitingSignIn, 'challenge' | 'methods'>,
    form: FormState,
    failure?: { tried: ProofField | undefined; error: ApiError },
  ): string {
    const language = pageLanguage(request);
    const { remember, return_to: returnTo } = fieldsOf(request);
    const names = waiting.methods.split(' ');
    const fields = this.kinds.methods.filter(({ name }) => names.includes(name));
    return this.documents.render(
      reply,
      { language, title: SECOND_FACTOR_TEXTS[language].title, scripts: [this.script] },
      <SecondFactorPage
        language={language}
        waiting={{
          ...waiting,
          remember: remember === 'on',
          returnTo: this.navigation.returnPath(returnTo),
        }}
        proofs={PROOF_FIELDS.filter((proof) => fields.some(({ field }) => field === proof))}
        tried={failure?.tried}
        form={form}
        unknown={failure && unknownPasskey(failure.error)}
      />,
    );
  }
}
