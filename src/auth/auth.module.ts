import { Global, Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { KeysModule } from '../keys/keys.module.js';
import { MailModule } from '../mail/mail.module.js';
import { PasswordsModule } from '../passwords/passwords.module.js';
import { RolesModule } from '../users/roles.module.js';
import { SessionsModule } from '../sessions/sessions.module.js';
import { UsersModule } from '../users/users.module.js';
import { AccountAttempts } from './account-attempts.js';
import { AccessTokenService } from './access-token.service.js';
import { AuthController } from './auth.controller.js';
import { AuthService } from './auth.service.js';
import { EnrolmentPolicy } from './enrolment-policy.js';
import { ForwardAuthController } from './forward-auth.controller.js';
import { ImpersonationService } from './impersonation.service.js';
import { JwtStrategy } from './jwt.strategy.js';
import { LoginMetrics } from './login-metrics.js';
import { RefreshCookie } from './refresh-cookie.js';
import { AddressRegistrationService } from './address-registration.service.js';
import { RegistrationService } from './registration.service.js';
import { SecondFactorGate } from './second-factor-gate.js';
import { SessionTokensService } from './session-tokens.service.js';
import { SignedInUserService } from './signed-in-user.service.js';
import { SignInsService } from './sign-ins.service.js';
import { StepUpService } from './step-up.service.js';
import { TokenHeader } from './token-header.js';
import { VerifiedTokens } from './verified-tokens.js';
import { WaysIn } from './ways-in.js';

/** Registration, login and the guards, which every module may use without an import. */
@Global()
@Module({
  imports: [
    AuditModule,
    MailModule,
    UsersModule,
    PasswordsModule,
    KeysModule,
    RolesModule,
    SessionsModule,
  ],
  controllers: [AuthController, ForwardAuthController],
  providers: [
    AccessTokenService,
    AccountAttempts,
    AddressRegistrationService,
    AuthService,
    EnrolmentPolicy,
    ImpersonationService,
    LoginMetrics,
    RegistrationService,
    SessionTokensService,
    SecondFactorGate,
    SignedInUserService,
    SignInsService,
    TokenHeader,
    JwtStrategy,
    VerifiedTokens,
    RefreshCookie,
    WaysIn,
    StepUpService,
  ],
  exports: [
    AccessTokenService,
    AccountAttempts,
    AddressRegistrationService,
    AuthService,
    EnrolmentPolicy,
    RefreshCookie,
    RegistrationService,
    SecondFactorGate,
    SessionTokensService,
    SignedInUserService,
    SignInsService,
    StepUpService,
    WaysIn,
    JwtStrategy,
    TokenHeader,
    VerifiedTokens,
    ImpersonationService,
    RolesModule,
  ],
})
export class AuthModule {}
