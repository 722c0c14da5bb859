import { Module } from '@nestjs/common';
import { KeysModule } from '../keys/keys.module.js';
import { PasswordsModule } from '../passwords/passwords.module.js';
import { SessionsModule } from '../sessions/sessions.module.js';
import { UsersModule } from '../users/users.module.js';
import { AuthController } from './auth.controller.js';
import { AuthService } from './auth.service.js';
import { AuthHooks } from './hooks.js';
import { JwtStrategy } from './jwt.strategy.js';
import { LoginMetrics } from './login-metrics.js';
import { TokenHeader } from './token-header.js';

/** Registration, login and the guards. A module that guards its own controllers imports it. */
@Module({
  imports: [UsersModule, PasswordsModule, KeysModule, SessionsModule],
  controllers: [AuthController],
  providers: [AuthService, AuthHooks, LoginMetrics, TokenHeader, JwtStrategy],
  exports: [JwtStrategy, TokenHeader],
})
export class AuthModule {}
