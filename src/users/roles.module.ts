import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { PermissionsService } from './permissions.service.js';
import { Role } from './role.entity.js';
import { RolesService } from './roles.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([Role])],
  providers: [PermissionsService, RolesService],
  exports: [PermissionsService, RolesService],
})
export class RolesModule {}
