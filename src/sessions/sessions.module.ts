import { Module } from '@nestjs/common';
import { KeysModule } from '../keys/keys.module.js';
import { RefreshTokens } from './refresh-token.js';
import { SessionsService } from './sessions.service.js';

@Module({
  imports: [KeysModule],
  providers: [RefreshTokens, SessionsService],
  exports: [SessionsService],
})
export class SessionsModule {}
