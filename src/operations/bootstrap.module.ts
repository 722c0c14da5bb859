import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { PasswordsModule } from '../passwords/passwords.module.js';
import { UsersModule } from '../users/users.module.js';
import { BootstrapAdmin } from './bootstrap-admin.js';

@Module({ imports: [AuditModule, PasswordsModule, UsersModule], providers: [BootstrapAdmin] })
export class BootstrapModule {}
