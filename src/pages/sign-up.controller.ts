import { Body, Controller, Get, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { registerSchema } from '../auth/auth.schemas.js';
import { AuthService } from '../auth/auth.service.js';
import { RegistrationService } from '../auth/registration.service.js';
import { originOf } from '../auth/sign-in-origin.js';
import { ApiError } from '../common/api-error.js';
import { ClientSignal } from '../common/client-signal.js';
import { RateLimit } from '../throttling/rate-limit.guard.js';
import { emptyAsNone } from './form.schemas.js';
import { Navigation } from './navigation.js';
import { PostForm, PublicPages } from './page.decorators.js';
import { PageSignInsService } from './page-sign-ins.service.js';
import { seeOther } from './see-other.js';
import { SignUpPages } from './sign-up-pages.js';

const formSchema = z
  .looseObject({ email: emptyAsNone.optional() })
  .pipe(registerSchema.pick({ username: true, password: true, email: true }));

/** The page to register with a username. */
@PublicPages()
@Controller('sign-up')
export class SignUpController {
  constructor(
    private readonly registration: RegistrationService,
    private readonly auth: AuthService,
    private readonly signIns: PageSignInsService,
    private readonly navigation: Navigation,
    private readonly pages: SignUpPages,
  ) {}

  @Get()
  show(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): string {
    return this.pages.render(request, reply);
  }

  @PostForm('')
  @RateLimit('register')
  async register(
    @Body({ schema: formSchema }) form: z.infer<typeof formSchema>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @ClientSignal() signal: AbortSignal,
  ): Promise<string> {
    const locale = request.headers['accept-language'];
    const body = { ...form, displayName: null, locale: null };
    const { username } = await this.registration.register(body, locale, { signal });
    const wishes = this.navigation.wishesOf(request);
    try {
      const { password } = form;
      const tokens = await this.auth.login({ username, password }, originOf(request), { signal });
      return await this.signIns.finish(request, reply, tokens, wishes);
    } catch (error) {
      // The account is there, so the form must not be shown again.
      if (!(error instanceof ApiError)) throw error;
      const isUnverified = error.code === 'email_not_verified';
      const done = isUnverified ? 'check-mail' : 'registered';
      return seeOther(reply, this.navigation.withWishes('/sign-in', wishes, { done }));
    }
  }
}
