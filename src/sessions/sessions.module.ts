import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { PersonalData } from '../common/personal-data.js';
import { exportSessions } from './session-export.js';
import { AuditModule } from '../audit/audit.module.js';
import { KeysModule } from '../keys/keys.module.js';
import { UsersModule } from '../users/users.module.js';
import { WebhooksModule } from '../webhooks/webhooks.module.js';
import { Revocation } from './revocation.entity.js';
import { RevocationsService } from './revocations.service.js';
import { SessionStartService } from './session-start.service.js';
import { SessionRefresh } from './session-refresh.js';
import { SessionCleanup } from './session-cleanup.js';
import { Session } from './session.entity.js';
import { RefreshTokens } from './refresh-token.js';
import { SessionsService } from './sessions.service.js';
import { UserChanges } from './user-changes.js';

@Module({
  imports: [
    TypeOrmModule.forFeature([Session, Revocation]),
    AuditModule,
    KeysModule,
    UsersModule,
    WebhooksModule,
  ],
  providers: [
    RefreshTokens,
    RevocationsService,
    SessionCleanup,
    SessionRefresh,
    SessionStartService,
    SessionsService,
    UserChanges,
  ],
  exports: [RevocationsService, SessionRefresh, SessionStartService, SessionsService, UserChanges],
})
export class SessionsModule {
  constructor(personalData: PersonalData) {
    personalData.add('sessions', { export: exportSessions });
  }
}
