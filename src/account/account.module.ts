import { Module } from '@nestjs/common';
import { AuditedEvents } from '../audit/audited-events.js';
import { AuditModule } from '../audit/audit.module.js';
import { AuthModule } from '../auth/auth.module.js';
import { EventsService } from '../common/events.service.js';
import { Notices } from '../mail/notices.js';
import { NoticesModule } from '../mail/notices.module.js';
import { PasswordsModule } from '../passwords/passwords.module.js';
import { SessionsModule } from '../sessions/sessions.module.js';
import { UsersModule } from '../users/users.module.js';
import { AccountExport } from './account-export.js';
import { AccountController } from './account.controller.js';
import { AccountService } from './account.service.js';
import { OwnSessionsController } from './own-sessions.controller.js';

/** The signed-in user's own account. */
@Module({
  imports: [AuthModule, AuditModule, UsersModule, PasswordsModule, SessionsModule, NoticesModule],
  controllers: [AccountController, OwnSessionsController],
  providers: [AccountService, AccountExport],
  exports: [AccountService],
})
export class AccountModule {
  constructor(events: EventsService, audit: AuditedEvents, notices: Notices) {
    audit.record('user.exported', ({ user }) => [{ action: 'user_exported', subjectId: user.id }]);
    events.on('user.exported', (manager, { user, byUser: { locale } }) =>
      notices.tell(manager, user, { template: 'account-exported', locale }),
    );
  }
}
