import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { MailModule } from '../mail/mail.module.js';
import { OneTimeTokensModule } from '../one-time-tokens/one-time-tokens.module.js';
import { SessionsModule } from '../sessions/sessions.module.js';
import { UsersModule } from '../users/users.module.js';
import { AddressClaims } from './address-claims.js';
import { Addresses } from './addresses.service.js';
import { Notices } from './notices.js';
import { WaysBack } from './ways-back.js';

@Module({
  imports: [AuditModule, MailModule, OneTimeTokensModule, SessionsModule, UsersModule],
  providers: [AddressClaims, Addresses, Notices, WaysBack],
  exports: [Addresses, Notices],
})
export class AddressesModule {}
