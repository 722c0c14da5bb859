import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Param,
  Patch,
  Query,
  UseGuards,
} from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '../common/api-decorators.js';
import { CurrentUser } from '../auth/decorators.js';
import { JwtAuthGuard } from '../auth/jwt-auth.guard.js';
import { refuses } from '../auth/openapi.js';
import { Permissions } from '../auth/permissions.guard.js';
import type { Subject } from '../keys/access-token.js';
import { UserSearchService } from '../users/user-search.service.js';
import {
  adminUserSchema,
  type AdminUserView,
  adminViewOf,
  factorsViewOf,
  type ListUsersQuery,
  listUsersSchema,
  type PatchUserBody,
  patchUserSchema,
  userPageSchema,
  type UserPageView,
  type UserWithFactorsView,
  userWithFactorsSchema,
} from './admin.schemas.js';
import { AdminUsersService } from './admin-users.service.js';

@ApiTags('users')
@Controller('users')
@UseGuards(JwtAuthGuard)
@refuses(403, 'A permission is missing, or the other user has more permissions')
export class UsersController {
  constructor(
    private readonly admin: AdminUsersService,
    private readonly search: UserSearchService,
  ) {}

  @Get()
  @Permissions('users:read')
  @ApiOperation({ summary: 'List users, the newest first; with `q` by name, then by address' })
  @ApiResponse({ status: 200, description: 'A page of users', standardSchema: userPageSchema })
  @refuses(400, 'A parameter is not valid')
  async list(@Query({ schema: listUsersSchema }) query: ListUsersQuery): Promise<UserPageView> {
    const { q: prefix, role, state, mfa, limit, cursor } = query;
    const times = { createdAfter: query.created_after, createdBefore: query.created_before };
    const page = await this.search.page({ prefix, role, state, mfa, ...times }, cursor, limit);
    return { users: page.users.map(adminViewOf), next: page.next };
  }

  @Get(':id')
  @Permissions('users:read')
  @ApiOperation({ summary: 'Get a user with the second factors' })
  @ApiResponse({ status: 200, description: 'The user', standardSchema: userWithFactorsSchema })
  @refuses(404, 'There is no such user')
  async find(@Param('id') id: string): Promise<UserWithFactorsView> {
    const { user, ...enrolled } = await this.admin.findWithFactors(id);
    return { ...adminViewOf(user), ...factorsViewOf(enrolled) };
  }

  @Patch(':id')
  @Permissions('users:write')
  @ApiOperation({
    summary: 'Change roles, disable or enable a user, or mark the address as verified',
  })
  @ApiResponse({ status: 200, description: 'The changed user', standardSchema: adminUserSchema })
  @refuses(400, 'A parameter is not valid, or there is nothing to change')
  @refuses(404, 'There is no such user')
  @refuses(409, 'This is the last administrator, or the user has no address that can be verified')
  async update(
    @CurrentUser() actor: Subject,
    @Param('id') id: string,
    @Body({ schema: patchUserSchema }) body: PatchUserBody,
  ): Promise<AdminUserView> {
    return adminViewOf(await this.admin.update(actor, id, body));
  }

  @Delete(':id')
  @Permissions('users:write')
  @HttpCode(204)
  @ApiOperation({ summary: 'Delete a user and all their data' })
  @ApiResponse({ status: 204, description: 'Deleted; the access tokens are refused at once' })
  @refuses(404, 'There is no such user')
  @refuses(409, 'This is the last administrator')
  delete(@CurrentUser() actor: Subject, @Param('id') id: string): Promise<void> {
    return this.admin.delete(actor, id);
  }
}
