import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Database } from '../database/database.js';
import { Keyring } from '../keys/keyring.js';
import { KeysModule } from '../keys/keys.module.js';
import { AuditEvent } from './audit-event.entity.js';
import { AuditKeys } from './audit-keys.js';
import { AuditLog } from './audit-log.js';
import { AuditRetention } from './audit-retention.js';
import { AuditSealer } from './audit-sealer.js';
import { Audit } from './audit.service.js';
import { FailedLogins } from './failed-logins.js';

/** What happened, by whom: recorded with each change, chained, shown. */
@Module({
  imports: [TypeOrmModule.forFeature([AuditEvent]), KeysModule],
  providers: [
    {
      provide: AuditKeys,
      inject: [Keyring, Database],
      useFactory: (keyring: Keyring, database: Database) => AuditKeys.open(keyring, database),
    },
    Audit,
    AuditLog,
    AuditRetention,
    AuditSealer,
    FailedLogins,
  ],
  exports: [Audit, AuditLog, FailedLogins],
})
export class AuditModule {}
