import { Body, Controller, Delete, Get, HttpCode, Param, Put, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '../common/api-decorators.js';
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
@ApiBearerAuth()
@Controller('roles')
@UseGuards(JwtAuthGuard)
@refuses(401, 'No good access token')
@refuses(403, 'Not allowed, or a permission is concerned that you do not have')
export class RolesController {
  constructor(
    private readonly roles: RolesService,
    private readonly authority: Authority,
  ) {}

  @Get()
  @Permissions('roles:read')
  @ApiOperation({ summary: 'Every role and what it may do' })
  @ApiResponse({ status: 200, description: 'The roles', standardSchema: rolesSchema })
  async list(): Promise<{ roles: RoleView[] }> {
    return { roles: await this.roles.list() };
  }

  @Put(':name')
  @Permissions('roles:write')
  @ApiOperation({ summary: 'Make a role, or replace what it may do; holds for living tokens' })
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
  @ApiOperation({ summary: 'Remove a role that nobody has' })
  @ApiResponse({ status: 204, description: 'Removed' })
  @refuses(404, 'There is no such role')
  @refuses(409, 'The role is built in, or somebody has it')
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
