import { Body, Controller, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { originOf } from '../auth/sign-in-origin.js';
import { PasskeySignInService } from '../passkeys/passkey-sign-in.service.js';
import { passkeySignInSchema } from '../passkeys/passkeys.schemas.js';
import { RateLimit } from '../throttling/rate-limit.guard.js';
import { jsonField, wishesSchema } from './form.schemas.js';
import { PostForm, PublicPages } from './page.decorators.js';
import { PageSignInsService } from './page-sign-ins.service.js';

/** The form of the page to sign in, with the answer of a passkey in a field. */
const formSchema = z
  .looseObject({ response: jsonField.optional() })
  .pipe(passkeySignInSchema.and(wishesSchema));

/** Signs browsers in by passkeys. */
@PublicPages()
@Controller()
export class PasskeyController {
  constructor(
    private readonly passkeys: PasskeySignInService,
    private readonly signIns: PageSignInsService,
  ) {}

  @PostForm('sign-in/passkey')
  @RateLimit('login')
  async signIn(
    @Body({ schema: formSchema }) { response, ...wishes }: z.infer<typeof formSchema>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const tokens = await this.passkeys.signIn(response, originOf(request));
    return this.signIns.finish(request, reply, tokens, wishes);
  }
}
