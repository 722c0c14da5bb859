import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { PersonalData } from '../common/personal-data.js';
import { exportNames } from './name-export.js';
import { WebhooksModule } from '../webhooks/webhooks.module.js';
import { UserEvents } from './user-events.js';
import { User } from './user.entity.js';
import { UserRole } from './user-role.entity.js';
import { UserSearch } from './user-search.js';
import { UsernameClaim } from './username-claim.entity.js';
import { UsernameClaims } from './username-claims.js';
import { UsersService } from './users.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([User, UsernameClaim, UserRole]), WebhooksModule],
  providers: [UserEvents, UsernameClaims, UsersService, UserSearch],
  exports: [UserEvents, UsernameClaims, UsersService, UserSearch],
})
export class UsersModule {
  constructor(personalData: PersonalData) {
    personalData.add('names', { export: exportNames });
  }
}
