import { Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { fieldsOf } from '../common/request-of.js';
import { Config } from '../config/config.js';
import { Documents } from '../html/documents.js';
import { failedForm, type FormState, freshForm } from '../html/form-state.js';
import { HTML_SETTINGS } from '../html/html.settings.js';
import { Navigation } from './navigation.js';
import { pageLanguage } from './page-language.js';
import { PageViews } from './page-views.js';
import { SignUpPage } from './sign-up.page.js';
import { SIGN_UP_TEXTS } from './sign-up.texts.js';

/** Renders the page to register, as `IDENTIFIER` asks for it. */
@Injectable()
export class SignUpPages {
  constructor(
    private readonly config: Config,
    private readonly documents: Documents,
    private readonly navigation: Navigation,
    views: PageViews,
  ) {
    views.onFailure('/sign-up', (request, reply, error) => {
      const fields = { new_password: 'password' };
      const form = failedForm(error, fieldsOf(request), pageLanguage(request), fields);
      return this.render(request, reply, form);
    });
  }

  render(request: FastifyRequest, reply: FastifyReply, form: FormState = freshForm()): string {
    const language = pageLanguage(request);
    const wishes = this.navigation.wishesOf(request);
    const { identifier, requireVerifiedEmail, passwordMinLength } = this.config;
    const hasName = identifier !== 'email';
    return this.documents.render(
      reply,
      {
        language,
        title: SIGN_UP_TEXTS[language].title,
        scripts: this.documents.newPasswordScripts,
      },
      <SignUpPage
        language={language}
        form={form}
        wishes={wishes}
        signIn={this.navigation.withWishes('/sign-in', wishes)}
        hasName={hasName}
        needsEmail={!hasName || requireVerifiedEmail}
        minLength={passwordMinLength}
        terms={this.config.of(HTML_SETTINGS).TERMS_URL}
      />,
    );
  }
}
