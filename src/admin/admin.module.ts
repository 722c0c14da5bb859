import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { AuthModule } from '../auth/auth.module.js';
import { RecoveryModule } from '../recovery/recovery.module.js';
import { SessionsModule } from '../sessions/sessions.module.js';
import { UsersModule } from '../users/users.module.js';
import { AdminUsersService } from './admin-users.service.js';
import { AuditController } from './audit.controller.js';
import { Authority } from './authority.js';
import { FactorResetsService } from './factor-resets.service.js';
import { RolesController } from './roles.controller.js';
import { UserActionsController } from './user-actions.controller.js';
import { UsersController } from './users.controller.js';

/** Lets administrators manage users and roles. Needs the capability `recovery`, which mails a reset. */
@Module({
  imports: [AuditModule, AuthModule, RecoveryModule, SessionsModule, UsersModule],
  controllers: [AuditController, UsersController, UserActionsController, RolesController],
  providers: [AdminUsersService, Authority, FactorResetsService],
  exports: [AdminUsersService],
})
export class AdminModule {}
