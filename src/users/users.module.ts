import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { PersonalData } from '../common/personal-data.js';
import { exportNames } from './name-export.js';
import { AddressClaimsService } from './address-claims.service.js';
import { SecondFactors } from './second-factors.js';
import { User } from './user.entity.js';
import { UserRole } from './user-role.entity.js';
import { UserChangesService } from './user-changes.service.js';
import { UserSearchService } from './user-search.service.js';
import { UsernameClaim } from './username-claim.entity.js';
import { UsernameClaims } from './username-claims.js';
import { UsersService } from './users.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([User, UsernameClaim, UserRole])],
  providers: [
    AddressClaimsService,
    SecondFactors,
    UserChangesService,
    UsernameClaims,
    UsersService,
    UserSearchService,
  ],
  exports: [
    AddressClaimsService,
    SecondFactors,
    UserChangesService,
    UsernameClaims,
    UsersService,
    UserSearchService,
  ],
})
export class UsersModule {
  constructor(personalData: PersonalData) {
    personalData.add('names', { export: exportNames });
  }
}
