import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { MailModule } from '../mail/mail.module.js';
import { OneTimeTokensModule } from '../one-time-tokens/one-time-tokens.module.js';
import { SessionsModule } from '../sessions/sessions.module.js';
import { UsersModule } from '../users/users.module.js';
import { AddressClaimsModule } from './address-claims.module.js';
import { Addresses } from './addresses.service.js';
import { Notices } from './notices.js';
import { WaysBack } from './ways-back.js';

@Module({
  imports: [
    AddressClaimsModule,
    AuditModule,
    MailModule,
    OneTimeTokensModule,
    SessionsModule,
    UsersModule,
  ],
  providers: [Addresses, Notices, WaysBack],
  exports: [AddressClaimsModule, Addresses, Notices],
})
export class AddressesModule {}
