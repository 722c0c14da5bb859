import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { User } from './user.entity.js';
import { UserRole } from './user-role.entity.js';
import { UserSearch } from './user-search.js';
import { UsersService } from './users.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([User, UserRole])],
  providers: [UsersService, UserSearch],
  exports: [UsersService, UserSearch],
})
export class UsersModule {}
