import { Module } from '@nestjs/common';
import { PasswordsModule } from '../passwords/passwords.module.js';
import { UsersModule } from '../users/users.module.js';
import { BootstrapAdmin } from './bootstrap-admin.js';

@Module({ imports: [PasswordsModule, UsersModule], providers: [BootstrapAdmin] })
export class BootstrapModule {}
