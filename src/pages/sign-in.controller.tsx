import { Body, Controller, Get, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { loginSchema } from '../auth/auth.schemas.js';
import { AuthService } from '../auth/auth.service.js';
import { LimitPasswordAttempts } from '../auth/password-attempts.interceptor.js';
import { originOf } from '../auth/sign-in-origin.js';
import { ApiError } from '../common/api-error.js';
import { ClientSignal } from '../common/client-signal.js';
import { fieldsOf } from '../common/request-of.js';
import { Assets } from '../html/assets.js';
import { Documents } from '../html/documents.js';
import { failedForm, type FormState, freshForm } from '../html/form-state.js';
import { RateLimit } from '../throttling/rate-limit.guard.js';
import { BrowserSessionsService } from './browser-sessions.service.js';
import { wishesSchema } from './form.schemas.js';
import { LastWay } from './last-way.js';
import { messageOf } from './message-of.js';
import { Navigation } from './navigation.js';
import { PostForm, PublicPages } from './page.decorators.js';
import { PageCookies } from './page-cookies.js';
import { pageLanguage } from './page-language.js';
import { PageSignInsService } from './page-sign-ins.service.js';
import { PageViews } from './page-views.js';
import { passkeyScript, unknownPasskey } from './passkey-button.js';
import { seeOther } from './see-other.js';
import { SignedInPage, SignInPage } from './sign-in.page.js';
import { SIGN_IN_TEXTS } from './sign-in.texts.js';
import { SignInWays } from './sign-in-ways.js';

const formSchema = loginSchema.and(wishesSchema);

/** The page to sign in, and the way out. */
@PublicPages()
@Controller()
export class SignInController {
  private readonly script: string;

  constructor(
    private readonly auth: AuthService,
    private readonly sessions: BrowserSessionsService,
    private readonly cookies: PageCookies,
    private readonly signIns: PageSignInsService,
    private readonly navigation: Navigation,
    private readonly documents: Documents,
    private readonly lastWay: LastWay,
    private readonly ways: SignInWays,
    assets: Assets,
    views: PageViews,
  ) {
    this.script = passkeyScript(assets);
    for (const path of ['/sign-in', '/sign-in/passkey']) {
      views.onFailure(path, (request, reply, error) => {
        const body = fieldsOf(request);
        const isOfPasskey = error.fields.some(({ path }) => path.startsWith('response'));
        const shown = isOfPasskey ? new ApiError('passkey_invalid') : error;
        const form = failedForm(shown, body, pageLanguage(request));
        return this.render(request, reply, { form, error });
      });
    }
  }

  /** Leads to the start page of a signed-in user, or to the sign-in. */
  @Get()
  async home(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    const open = await this.sessions.find(request);
    const { home } = this.navigation;
    return seeOther(reply, open && home !== '/' ? home : '/sign-in');
  }

  @Get('sign-in')
  async show(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Query() { done, problem }: Record<string, unknown>,
  ): Promise<string> {
    this.cookies.nameBrowser(request, reply);
    const open = (request.browserSession = await this.sessions.find(request));
    const language = pageLanguage(request);
    if (!open) {
      const isOver = problem === 'challenge_invalid';
      const form = isOver ? failedForm(new ApiError(problem), {}, language) : freshForm();
      return this.render(request, reply, { form, done });
    }
    return this.documents.render(
      reply,
      { language, title: SIGN_IN_TEXTS[language].signedInTitle },
      <SignedInPage
        language={language}
        name={open.user.displayName ?? open.user.username}
        next={this.navigation.wishesOf(request).return_to}
      />,
    );
  }

  @PostForm('sign-in')
  @RateLimit('login')
  @LimitPasswordAttempts()
  async signIn(
    @Body({ schema: formSchema }) form: z.infer<typeof formSchema>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @ClientSignal() signal: AbortSignal,
  ): Promise<string> {
    const tokens = await this.auth.login(form, originOf(request), { signal });
    return this.signIns.finish(request, reply, tokens, form);
  }

  /** For a browser that opens the address of the form. */
  @Get('sign-in/passkey')
  start(@Res({ passthrough: true }) reply: FastifyReply): string {
    return seeOther(reply, '/sign-in');
  }

  @PostForm('sign-out')
  async signOut(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    await this.sessions.close(reply, await this.sessions.find(request));
    const wishes = this.navigation.wishesOf(request);
    return seeOther(reply, this.navigation.withWishes('/sign-in', wishes, { done: 'signed-out' }));
  }

  private render(
    request: FastifyRequest,
    reply: FastifyReply,
    { form, done, error }: { form: FormState; done?: unknown; error?: ApiError },
  ): string {
    const language = pageLanguage(request);
    const { title, done: messages } = SIGN_IN_TEXTS[language];
    const wishes = this.navigation.wishesOf(request);
    const pathTo = (path: string) => this.navigation.withWishes(path, wishes);
    return this.documents.render(
      reply,
      { language, title, scripts: [this.script] },
      <SignInPage
        language={language}
        form={form}
        lastWay={this.lastWay.of(request)}
        wishes={wishes}
        ways={this.ways.all.map((way) => ({ ...way, path: pathTo(way.path) }))}
        signUp={pathTo('/sign-up')}
        done={messageOf(messages, done)}
        isUnverified={error?.code === 'email_not_verified'}
        unknown={error && unknownPasskey(error)}
      />,
    );
  }
}
