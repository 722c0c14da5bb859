import { Body, Controller, Delete, Get, HttpCode, Param, Put, UseGuards } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '../common/api-decorators.js';
import { CurrentUser } from '../auth/decorators.js';
import { JwtAuthGuard } from '../auth/jwt-auth.guard.js';
import { refuses } from '../auth/openapi.js';
import { Permissions } from '../auth/permissions.guard.js';
import type { Subject } from '../keys/access-token.js';
import { type PermitRole, RolesService, type RoleView } from '../users/roles.service.js';
import {
  type PutRoleBody,
  putRoleSchema,
  type RoleName,
  roleNameSchema,
  roleSchema,
  rolesSchema,
} from './admin.schemas.js';
import { Authority } from './authority.js';

@ApiTags('roles')
@Controller('roles')
@UseGuards(JwtAuthGuard)
@refuses(403, 'A permission is missing, or the change needs one that you do not have')
export class RolesController {
  constructor(
    private readonly roles: RolesService,
    private readonly authority: Authority,
  ) {}

  @Get()
  @Permissions('roles:read')
  @ApiOperation({ summary: 'List all roles with their permissions' })
  @ApiResponse({ status: 200, description: 'The roles', standardSchema: rolesSchema })
  async list(): Promise<{ roles: RoleView[] }> {
    return { roles: await this.roles.list() };
  }

  @Put(':name')
  @Permissions('roles:write')
  @ApiOperation({ summary: 'Create a role or replace its permissions, also for issued tokens' })
  @ApiResponse({ status: 200, description: 'The role', standardSchema: roleSchema })
  @refuses(400, 'The name or a permission is not valid')
  @refuses(409, 'The role is built in')
  put(
    @CurrentUser() actor: Subject,
    @Param({ schema: roleNameSchema }) { name }: RoleName,
    @Body({ schema: putRoleSchema }) { permissions }: PutRoleBody,
  ): Promise<RoleView> {
    return this.roles.put(name, permissions, this.permit(actor));
  }

  @Delete(':name')
  @Permissions('roles:write')
  @HttpCode(204)
  @ApiOperation({ summary: 'Delete a role that no user has' })
  @ApiResponse({ status: 204, description: 'Deleted' })
  @refuses(404, 'There is no such role')
  @refuses(409, 'The role is built in, or a user has it')
  delete(
    @CurrentUser() actor: Subject,
    @Param({ schema: roleNameSchema }) { name }: RoleName,
  ): Promise<void> {
    return this.roles.delete(name, this.permit(actor));
  }

  private permit(actor: Subject): PermitRole {
    return async (manager, needed) => {
      (await this.authority.of(manager, actor)).requireCanGrantPermissions(needed);
    };
  }
}
