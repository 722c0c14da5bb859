import { Body, Controller, Header, HttpCode, Post, Req, UseGuards } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { ApiExcludeController } from '../common/api-decorators.js';
import { ApiError } from '../common/api-error.js';
import { Public } from '../common/public.js';
import { requiredString } from '../common/validation.js';
import { Assets } from '../html/assets.js';
import { Documents } from '../html/documents.js';
import { languageOf } from '../html/language.js';
import { PROBLEM_TEXTS } from '../html/problem.texts.js';
import { NewPasswords } from '../passwords/new-passwords.js';
import { RateLimit } from '../throttling/rate-limit.guard.js';
import { BrowserSessionsService } from './browser-sessions.service.js';
import { GOOD_PASSWORD } from './password-strength.texts.js';
import { SameOriginGuard } from './same-origin.guard.js';

/** The longest name or address that counts. */
const owned = z.string().max(320).optional().catch(undefined);

const formSchema = z.object({
  password: requiredString('password'),
  username: owned,
  email: owned,
});

/** Says in words how good a new password is, for the module `password-strength.browser.ts`. */
@ApiExcludeController()
@Public()
@Controller('password-strength')
@UseGuards(SameOriginGuard)
export class PasswordStrengthController {
  constructor(
    private readonly newPasswords: NewPasswords,
    private readonly sessions: BrowserSessionsService,
    documents: Documents,
    assets: Assets,
  ) {
    documents.newPasswordScripts.push(assets.addModule('password-strength', import.meta.url));
  }

  /**
   * Returns the sentence. A name or an address that the form does not have is that of the signed-in user. The
   * data breaches are asked only when the form is sent.
   */
  @Post()
  @RouteConfig({ form: true })
  @HttpCode(200)
  @RateLimit({ name: 'passwordStrength', limit: '120/1m' })
  @Header('content-type', 'text/plain; charset=utf-8')
  async judge(
    @Body({ schema: formSchema }) { password, username, email }: z.infer<typeof formSchema>,
    @Req() request: FastifyRequest,
  ): Promise<string> {
    const user = (await this.sessions.find(request))?.user;
    const language = languageOf(request.headers['accept-language']);
    const checked = this.newPasswords.check(password, {
      username: username ?? user?.username,
      email: email ?? user?.email ?? undefined,
    });
    if (checked.ok) return GOOD_PASSWORD[language];
    return PROBLEM_TEXTS[language].of(new ApiError('weak_password', checked.refusal));
  }
}
