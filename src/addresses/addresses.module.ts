import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { MailModule } from '../mail/mail.module.js';
import { UsersModule } from '../users/users.module.js';
import { AddressClaims } from './address-claims.js';

/** Decides which account holds an e-mail address. */
@Module({
  imports: [AuditModule, MailModule, UsersModule],
  providers: [AddressClaims],
  exports: [AddressClaims],
})
export class AddressesModule {}
