import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { PasswordsModule } from '../passwords/passwords.module.js';
import { SessionsModule } from '../sessions/sessions.module.js';
import { UsersModule } from '../users/users.module.js';
import { AccountController } from './account.controller.js';
import { AccountService } from './account.service.js';
import { OwnSessionsController } from './own-sessions.controller.js';

/** The signed-in user's own account. */
@Module({
  imports: [AuthModule, UsersModule, PasswordsModule, SessionsModule],
  controllers: [AccountController, OwnSessionsController],
  providers: [AccountService],
})
export class AccountModule {}
