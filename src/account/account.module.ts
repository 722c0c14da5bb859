import { Module } from '@nestjs/common';
import { AddressesModule } from '../addresses/addresses.module.js';
import { AuditModule } from '../audit/audit.module.js';
import { AuthModule } from '../auth/auth.module.js';
import { MailModule } from '../mail/mail.module.js';
import { OneTimeTokensModule } from '../one-time-tokens/one-time-tokens.module.js';
import { PasswordsModule } from '../passwords/passwords.module.js';
import { SessionsModule } from '../sessions/sessions.module.js';
import { UsersModule } from '../users/users.module.js';
import { AccountExport } from './account-export.js';
import { AccountController } from './account.controller.js';
import { AccountService } from './account.service.js';
import { EmailController } from './email.controller.js';
import { OwnSessionsController } from './own-sessions.controller.js';
import { PagesController } from './pages.controller.js';
import { Pages } from './pages.js';
import { PasswordResetService } from './password-reset.service.js';
import { RecoveryController } from './recovery.controller.js';

/** The signed-in user's own account. */
@Module({
  imports: [
    AuthModule,
    AddressesModule,
    AuditModule,
    UsersModule,
    PasswordsModule,
    SessionsModule,
    MailModule,
    OneTimeTokensModule,
  ],
  controllers: [
    AccountController,
    EmailController,
    OwnSessionsController,
    RecoveryController,
    PagesController,
  ],
  providers: [AccountService, AccountExport, PasswordResetService, Pages],
})
export class AccountModule {}
