import { Module } from '@nestjs/common';
import { AuditedEvents } from '../audit/audited-events.js';
import { AuditModule } from '../audit/audit.module.js';
import { AuthModule } from '../auth/auth.module.js';
import { MailModule } from '../mail/mail.module.js';
import { NoticesModule } from '../mail/notices.module.js';
import { MailedLinksModule } from '../mailed-links/mailed-links.module.js';
import { PasswordsModule } from '../passwords/passwords.module.js';
import { SessionsModule } from '../sessions/sessions.module.js';
import { UsersModule } from '../users/users.module.js';
import { EmailChangeUndoService } from './email-change-undo.service.js';
import { EmailChangeService } from './email-change.service.js';
import { EmailVerificationService } from './email-verification.service.js';
import { EmailController } from './email.controller.js';
import { MailLimit } from './mail-limit.js';
import { PasswordResetService } from './password-reset.service.js';
import { RecoveryController } from './recovery.controller.js';
import { RegistrationMails } from './registration-mails.js';

/** A forgotten password, and verifying, changing and restoring an e-mail address, by mailed links. */
@Module({
  imports: [
    AuditModule,
    AuthModule,
    MailModule,
    MailedLinksModule,
    NoticesModule,
    PasswordsModule,
    SessionsModule,
    UsersModule,
  ],
  controllers: [EmailController, RecoveryController],
  providers: [
    EmailChangeService,
    EmailChangeUndoService,
    EmailVerificationService,
    MailLimit,
    PasswordResetService,
    RegistrationMails,
  ],
  exports: [EmailChangeService, EmailVerificationService, MailLimit, PasswordResetService],
})
export class RecoveryModule {
  constructor(audit: AuditedEvents) {
    audit.record('password.reset_requested', ({ userId: subjectId }) => [
      { action: 'password_reset_requested', subjectId },
    ]);
  }
}
