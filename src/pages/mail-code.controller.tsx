import { Body, Controller, Get, HttpCode, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { originOf } from '../auth/sign-in-origin.js';
import { ApiError } from '../common/api-error.js';
import { fieldsOf } from '../common/request-of.js';
import { Documents } from '../html/documents.js';
import { failedForm, type FormState, freshForm } from '../html/form-state.js';
import {
  type MailSignInBody,
  mailProofSchema,
  mailSignInSchema,
} from '../mail-sign-in/mail-sign-in.schemas.js';
import { MailSignInService } from '../mail-sign-in/mail-sign-in.service.js';
import { MAIL_SIGN_IN_LIMIT } from '../mail-sign-in/mail-sign-in.settings.js';
import { RateLimit } from '../throttling/rate-limit.guard.js';
import { wishesSchema } from './form.schemas.js';
import { MailAddressPage, MailCodePage } from './mail-code.page.js';
import { MAIL_CODE_TEXTS } from './mail-code.texts.js';
import { Navigation } from './navigation.js';
import { PostForm, PublicPages } from './page.decorators.js';
import { PageCookies } from './page-cookies.js';
import { pageLanguage } from './page-language.js';
import { PageSignInsService } from './page-sign-ins.service.js';
import { PageViews } from './page-views.js';
import { seeOther } from './see-other.js';
import { SIGN_IN_TEXTS } from './sign-in.texts.js';
import { SignInWays } from './sign-in-ways.js';

const PATH = '/sign-in/mail';

const codeFormSchema = mailProofSchema.and(wishesSchema);

/** The waiting sign-in in a refused form. */
const waitingSchema = z.object({ challenge: z.string().catch(''), email: z.string().catch('') });

/** The pages to sign in by a mailed code. Every address gets the same answer. */
@PublicPages()
@Controller('sign-in/mail')
export class MailCodeController {
  constructor(
    private readonly mailSignIns: MailSignInService,
    private readonly cookies: PageCookies,
    private readonly signIns: PageSignInsService,
    private readonly navigation: Navigation,
    private readonly documents: Documents,
    ways: SignInWays,
    views: PageViews,
  ) {
    const { en, de } = SIGN_IN_TEXTS;
    const label = { en: en.mail, de: de.mail };
    ways.add({ name: 'mail', path: PATH, route: `${PATH}/verify`, label });
    views.onFailure(PATH, (request, reply, error) => {
      const form = failedForm(error, fieldsOf(request), pageLanguage(request));
      return this.renderAddress(request, reply, form);
    });
    views.onFailure(`${PATH}/verify`, (request, reply, error) => {
      const isOver = error.code === 'challenge_invalid';
      if (isOver || error.fields.some(({ path }) => path === 'challenge')) {
        const problem = 'challenge_invalid';
        return seeOther(
          reply,
          navigation.withWishes(PATH, navigation.wishesOf(request), { problem }),
        );
      }
      const form = failedForm(error, fieldsOf(request), pageLanguage(request));
      return this.renderCode(request, reply, form, waitingSchema.parse(fieldsOf(request)));
    });
  }

  @Get()
  show(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Query('problem') problem?: unknown,
  ): string {
    this.cookies.nameBrowser(request, reply);
    const isOver = problem === 'challenge_invalid';
    const language = pageLanguage(request);
    const form = isOver ? failedForm(new ApiError(problem), {}, language) : freshForm();
    return this.renderAddress(request, reply, form);
  }

  @PostForm('')
  @HttpCode(200)
  @RateLimit(MAIL_SIGN_IN_LIMIT)
  async request(
    @Body({ schema: mailSignInSchema }) { email }: MailSignInBody,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const locale = request.headers['accept-language'];
    const origin = originOf(request);
    const { challenge } = await this.mailSignIns.request(email, origin, request, locale);
    return this.renderCode(request, reply, freshForm(), { challenge, email: email.email });
  }

  /** For a browser that opens the address of the form. */
  @Get('verify')
  start(@Res({ passthrough: true }) reply: FastifyReply): string {
    return seeOther(reply, PATH);
  }

  @PostForm('verify')
  @RateLimit('login')
  async verify(
    @Body({ schema: codeFormSchema })
    { remember, return_to, ...proof }: z.infer<typeof codeFormSchema>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const tokens = await this.mailSignIns.verify(proof, originOf(request), request);
    return this.signIns.finish(request, reply, tokens, { remember, return_to });
  }

  private renderAddress(request: FastifyRequest, reply: FastifyReply, form: FormState): string {
    const language = pageLanguage(request);
    const wishes = this.navigation.wishesOf(request);
    return this.documents.render(
      reply,
      { language, title: MAIL_CODE_TEXTS[language].title },
      <MailAddressPage
        language={language}
        form={form}
        wishes={wishes}
        signIn={this.navigation.withWishes('/sign-in', wishes)}
      />,
    );
  }

  private renderCode(
    request: FastifyRequest,
    reply: FastifyReply,
    form: FormState,
    waiting: z.infer<typeof waitingSchema>,
  ): string {
    const language = pageLanguage(request);
    const wishes = this.navigation.wishesOf(request);
    return this.documents.render(
      reply,
      { language, title: MAIL_CODE_TEXTS[language].codeTitle },
      <MailCodePage
        {...waiting}
        language={language}
        form={form}
        wishes={wishes}
        signIn={this.navigation.withWishes('/sign-in', wishes)}
        again={this.navigation.withWishes(PATH, wishes)}
      />,
    );
  }
}
