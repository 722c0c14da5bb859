import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuditEvent } from './audit-event.entity.js';
import { AuditLog } from './audit-log.js';
import { AuditRetention } from './audit-retention.js';
import { Audit } from './audit.service.js';
import { FailedLogins } from './failed-logins.js';

/** Records each change with its actor, and removes old records. */
@Module({
  imports: [TypeOrmModule.forFeature([AuditEvent])],
  providers: [Audit, AuditLog, AuditRetention, FailedLogins],
  exports: [Audit, AuditLog, FailedLogins],
})
export class AuditModule {}
