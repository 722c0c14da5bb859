import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Permissions } from './permissions.js';
import { Role } from './role.entity.js';
import { RolesService } from './roles.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([Role])],
  providers: [Permissions, RolesService],
  exports: [Permissions, RolesService],
})
export class RolesModule {}
