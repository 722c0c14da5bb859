import { Module, type Type } from '@nestjs/common';
import { AccountModule } from '../account/account.module.js';
import { AuditModule } from '../audit/audit.module.js';
import type { Config } from '../config/config.js';
import { FactorsModule } from '../factors/factors.module.js';
import { PageLinks } from '../html/page-links.js';
import { Navigation } from '../pages/navigation.js';
import { PAGES_SETTINGS } from '../pages/pages.settings.js';
import { PasskeysModule } from '../passkeys/passkeys.module.js';
import { RecoveryModule } from '../recovery/recovery.module.js';
import { SessionsModule } from '../sessions/sessions.module.js';
import { TotpModule } from '../totp/totp.module.js';
import { UsersModule } from '../users/users.module.js';
import { ActivityController } from './activity.controller.js';
import { AddressController } from './address.controller.js';
import { AppsController } from './apps.controller.js';
import { ConfirmationController } from './confirmation.controller.js';
import { DataController } from './data.controller.js';
import { FactorDocuments } from './factor-documents.js';
import { FactorsController } from './factors.controller.js';
import { ACCOUNT_PAGES, OVERVIEW } from './navigation.texts.js';
import { OverviewController } from './overview.controller.js';
import { PasskeysController } from './passkeys.controller.js';
import { PasswordController } from './password.controller.js';
import { PlacesService } from './places.service.js';
import { ProfileController } from './profile.controller.js';
import { SessionsController } from './sessions.controller.js';

/** The pages on which signed-in users manage their own account; part of the application unless `PAGES=off`. */
@Module({
  imports: [
    AccountModule,
    AuditModule,
    FactorsModule,
    PasskeysModule,
    RecoveryModule,
    SessionsModule,
    TotpModule,
    UsersModule,
  ],
  controllers: [
    OverviewController,
    ConfirmationController,
    ProfileController,
    AddressController,
    PasswordController,
    FactorsController,
    AppsController,
    PasskeysController,
    SessionsController,
    ActivityController,
    DataController,
  ],
  providers: [FactorDocuments, PlacesService],
})
export class AccountPagesModule {
  constructor(navigation: Navigation, links: PageLinks) {
    navigation.add(OVERVIEW, ...ACCOUNT_PAGES);
    links.newLinks.set('confirm-email', '/account/email');
  }
}

/** Returns the module of the account's pages unless the setting turns pages off. */
export const accountPages = (config: Config): Type[] =>
  config.of(PAGES_SETTINGS).PAGES === 'on' ? [AccountPagesModule] : [];
