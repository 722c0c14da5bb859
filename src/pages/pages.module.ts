import { Global, Module, type Type } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuthModule } from '../auth/auth.module.js';
import type { Config } from '../config/config.js';
import { FactorsModule } from '../factors/factors.module.js';
import { PageLinks } from '../html/page-links.js';
import { KeysModule } from '../keys/keys.module.js';
import { isMailSignInOn } from '../mail-sign-in/mail-sign-in.settings.js';
import { PasskeysModule } from '../passkeys/passkeys.module.js';
import { PasswordsModule } from '../passwords/passwords.module.js';
import { RecoveryModule } from '../recovery/recovery.module.js';
import { SessionsModule } from '../sessions/sessions.module.js';
import { UsersModule } from '../users/users.module.js';
import { AddressSignUpController } from './address-sign-up.controller.js';
import { BrowserSession } from './browser-session.entity.js';
import { BrowserSessionsService } from './browser-sessions.service.js';
import { LastWay } from './last-way.js';
import { MailCodeController } from './mail-code.controller.js';
import { MailRequestController } from './mail-request.controller.js';
import { Navigation } from './navigation.js';
import { NotFoundPage } from './not-found.page.js';
import { PageCookies } from './page-cookies.js';
import { PageSignInsService } from './page-sign-ins.service.js';
import { PageViews } from './page-views.js';
import { PAGES_SETTINGS } from './pages.settings.js';
import { PasskeyController } from './passkey.controller.js';
import { PasswordStrengthController } from './password-strength.controller.js';
import { SecondFactorController } from './second-factor.controller.js';
import { SignInController } from './sign-in.controller.js';
import { SIGN_IN_TEXTS } from './sign-in.texts.js';
import { SignInWays } from './sign-in-ways.js';
import { SignUpController } from './sign-up.controller.js';
import { SignUpPages } from './sign-up-pages.js';
import { SignedInDocuments } from './signed-in-documents.js';

/** The pages to register and sign in, and the session of the browser; part of the application unless `PAGES=off`. */
@Global()
@Module({
  imports: [
    TypeOrmModule.forFeature([BrowserSession]),
    AuthModule,
    FactorsModule,
    KeysModule,
    PasskeysModule,
    PasswordsModule,
    RecoveryModule,
    SessionsModule,
    UsersModule,
  ],
  controllers: [
    MailRequestController,
    PasskeyController,
    PasswordStrengthController,
    SecondFactorController,
    SignInController,
  ],
  providers: [
    BrowserSessionsService,
    LastWay,
    Navigation,
    NotFoundPage,
    PageCookies,
    PageSignInsService,
    PageViews,
    SignedInDocuments,
    SignInWays,
    SignUpPages,
  ],
  exports: [
    BrowserSessionsService,
    // The guard of signed-in pages needs it.
    KeysModule,
    Navigation,
    PageCookies,
    PageSignInsService,
    PageViews,
    SignedInDocuments,
    SignInWays,
    SignUpPages,
  ],
})
export class PagesModule {
  constructor(links: PageLinks) {
    const { en, de } = SIGN_IN_TEXTS;
    links.signIn = { path: '/sign-in', label: { en: en.title, de: de.title } };
    links.newLinks.set('reset-password', '/forgot-password');
    links.newLinks.set('verify-email', '/verification');
  }
}

@Module({ imports: [AuthModule], controllers: [SignUpController] })
class SignUpModule {}

@Module({ imports: [AuthModule], controllers: [AddressSignUpController] })
class AddressSignUpModule {}

/** The service that it needs is global, and there only with `SIGN_IN_BY_MAIL=on`. */
@Module({ controllers: [MailCodeController] })
class MailCodeModule {
  constructor(links: PageLinks) {
    links.newLinks.set('sign-in', '/sign-in/mail');
  }
}

/** Returns the modules of the pages unless the setting turns them off. */
export const pages = (config: Config): Type[] =>
  config.of(PAGES_SETTINGS).PAGES === 'on'
    ? [
        PagesModule,
        config.identifier === 'email' ? AddressSignUpModule : SignUpModule,
        ...(isMailSignInOn(config) ? [MailCodeModule] : []),
      ]
    : [];
