import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { PersonalData } from '../common/personal-data.js';
import { exportEvents } from './audit-export.js';
import { AuditEvent } from './audit-event.entity.js';
import { AuditLog } from './audit-log.js';
import { AuditRetention } from './audit-retention.js';
import { AuditService } from './audit.service.js';
import { AuditedEvents } from './audited-events.js';
import { FailedLogins } from './failed-logins.js';

/** Records each change with its actor, and removes old records. */
@Module({
  imports: [TypeOrmModule.forFeature([AuditEvent])],
  providers: [AuditService, AuditedEvents, AuditLog, AuditRetention, FailedLogins],
  exports: [AuditedEvents, AuditLog, AuditService, FailedLogins],
})
export class AuditModule {
  constructor(personalData: PersonalData, audit: AuditService) {
    personalData.add('events', {
      export: exportEvents,
      erase: (manager, userId) => audit.forget(manager, userId),
    });
  }
}
