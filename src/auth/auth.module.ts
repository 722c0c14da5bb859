import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { KeysModule } from '../keys/keys.module.js';
import { PasswordsModule } from '../passwords/passwords.module.js';
import { SessionsModule } from '../sessions/sessions.module.js';
import { UsersModule } from '../users/users.module.js';
import { AuthController } from './auth.controller.js';
import { AuthService } from './auth.service.js';
import { AuthHooks } from './hooks.js';
import { JwtStrategy } from './jwt.strategy.js';
import { LoginMetrics } from './login-metrics.js';
import { RefreshCookie } from './refresh-cookie.js';
import { TokenHeader } from './token-header.js';
import { VerifiedTokens } from './verified-tokens.js';

/** Registration, login and the guards. A module that guards its own controllers imports it. */
@Module({
  imports: [UsersModule, PasswordsModule, KeysModule, SessionsModule, AuditModule],
  controllers: [AuthController],
  providers: [
    AuthService,
    AuthHooks,
    LoginMetrics,
    TokenHeader,
    JwtStrategy,
    VerifiedTokens,
    RefreshCookie,
  ],
  exports: [JwtStrategy, TokenHeader, VerifiedTokens],
})
export class AuthModule {}
