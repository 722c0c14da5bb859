import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { PersonalData } from '../common/personal-data.js';
import { exportSessions } from './session-export.js';
import { KeysModule } from '../keys/keys.module.js';
import { UsersModule } from '../users/users.module.js';
import { Revocation } from './revocation.entity.js';
import { RevocationsService } from './revocations.service.js';
import { SessionStartService } from './session-start.service.js';
import { SessionRefreshService } from './session-refresh.service.js';
import { SessionCleanup } from './session-cleanup.js';
import { Session } from './session.entity.js';
import { RefreshTokens } from './refresh-token.js';
import { SessionsService } from './sessions.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([Session, Revocation]), KeysModule, UsersModule],
  providers: [
    RefreshTokens,
    RevocationsService,
    SessionCleanup,
    SessionRefreshService,
    SessionStartService,
    SessionsService,
  ],
  exports: [RevocationsService, SessionRefreshService, SessionStartService, SessionsService],
})
export class SessionsModule {
  constructor(personalData: PersonalData) {
    personalData.add('sessions', { export: exportSessions });
  }
}
