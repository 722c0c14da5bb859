import { Body, Controller, Get, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { UPDATE_LIMIT } from '../account/account.limits.js';
import { updateProfileSchema } from '../account/account.schemas.js';
import { AccountService } from '../account/account.service.js';
import { CurrentRequest } from '../auth/decorators.js';
import type { OwnRequest } from '../auth/signed-in-user.service.js';
import { Config } from '../config/config.js';
import { type FormState, freshForm } from '../html/form-state.js';
import { PostForm, SignedInPages } from '../pages/page.decorators.js';
import { pageLanguage } from '../pages/page-language.js';
import { seeOther } from '../pages/see-other.js';
import { openSessionOf, SignedInDocuments } from '../pages/signed-in-documents.js';
import { RateLimit } from '../throttling/rate-limit.guard.js';
import { isNameless } from '../users/nameless.js';
import { emptied, withoutPassword } from './form-fields.js';
import { ProfilePage } from './profile.page.js';
import { PROFILE_TEXTS } from './profile.texts.js';

const formSchema = withoutPassword(
  z.preprocess((form) => {
    const { displayName, locale, ...rest } = form as Record<string, unknown>;
    return { ...rest, displayName: emptied(displayName), locale: emptied(locale) };
  }, updateProfileSchema),
);

/** The page for the username, the name for display, and the language. */
@Controller('account/profile')
@SignedInPages()
export class ProfileController {
  constructor(
    private readonly account: AccountService,
    private readonly config: Config,
    private readonly documents: SignedInDocuments,
  ) {
    documents.onFailure('/account/profile', (request, reply, form) =>
      this.render(request, reply, form),
    );
  }

  @Get()
  show(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): string {
    const { username, displayName, locale } = openSessionOf(request).user;
    const values = { username, displayName: displayName ?? '', locale: locale ?? '' };
    return this.render(request, reply, freshForm(values));
  }

  @PostForm('')
  @RateLimit(UPDATE_LIMIT)
  async save(
    @CurrentRequest() own: OwnRequest,
    @Body({ schema: formSchema }) profile: z.infer<typeof formSchema>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    await this.account.updateProfile(own, profile);
    return seeOther(reply, '/account/profile?done=saved');
  }

  private render(request: FastifyRequest, reply: FastifyReply, form: FormState): string {
    const language = pageLanguage(request);
    const texts = PROFILE_TEXTS[language];
    const { user } = openSessionOf(request);
    return this.documents.render(
      request,
      reply,
      texts,
      <ProfilePage
        language={language}
        form={form}
        locale={user.locale}
        hasUsername={this.config.identifier !== 'email' && !isNameless(user)}
      />,
    );
  }
}
