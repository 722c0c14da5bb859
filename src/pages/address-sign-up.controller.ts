import { Body, Controller, Get, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { AddressRegistrationService } from '../auth/address-registration.service.js';
import { addressRegistrationSchema } from '../auth/auth.schemas.js';
import { ClientSignal } from '../common/client-signal.js';
import { RateLimit } from '../throttling/rate-limit.guard.js';
import { Navigation } from './navigation.js';
import { PostForm, PublicPages } from './page.decorators.js';
import { seeOther } from './see-other.js';
import { SignUpPages } from './sign-up-pages.js';

const formSchema = addressRegistrationSchema.pick({ email: true, password: true });

/** The page to register with an address alone, for `IDENTIFIER=email`. Every address gets the same answer. */
@PublicPages()
@Controller('sign-up')
export class AddressSignUpController {
  constructor(
    private readonly registration: AddressRegistrationService,
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
    const body = { ...form, displayName: null, locale: null };
    await this.registration.register(body, request.headers['accept-language'], { signal });
    const wishes = this.navigation.wishesOf(request);
    return seeOther(reply, this.navigation.withWishes('/sign-in', wishes, { done: 'check-mail' }));
  }
}
