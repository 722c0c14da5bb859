import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { AuthModule } from '../auth/auth.module.js';
import { AuditController } from './audit.controller.js';

/** Shows the audit to admins. */
@Module({ imports: [AuthModule, AuditModule], controllers: [AuditController] })
export class AuditLogModule {}
