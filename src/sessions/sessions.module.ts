import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { KeysModule } from '../keys/keys.module.js';
import { Session } from './session.entity.js';
import { RefreshTokens } from './refresh-token.js';
import { SessionsService } from './sessions.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([Session]), KeysModule],
  providers: [RefreshTokens, SessionsService],
  exports: [SessionsService],
})
export class SessionsModule {}
