import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuditedEvents } from '../audit/audited-events.js';
import { AuditModule } from '../audit/audit.module.js';
import { PasswordsModule } from '../passwords/passwords.module.js';
import { User } from '../users/user.entity.js';
import { UsersModule } from '../users/users.module.js';
import { NewUsers } from './new-users.js';
import { UserExport } from './user-export.js';
import { UserImport } from './user-import.js';

@Module({
  imports: [TypeOrmModule.forFeature([User]), AuditModule, PasswordsModule, UsersModule],
  providers: [NewUsers, UserExport, UserImport],
  exports: [UserExport, UserImport],
})
export class TransferModule {
  constructor(audit: AuditedEvents) {
    audit.record('users.imported', ({ count: users }) => [
      { action: 'users_imported', subjectId: null, details: { users } },
    ]);
  }
}
