import { Body, Controller, Post, UseGuards } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '../common/api-decorators.js';
import { CurrentUser } from '../auth/decorators.js';
import { JwtAuthGuard } from '../auth/jwt-auth.guard.js';
import { refuses } from '../auth/openapi.js';
import { Permissions } from '../auth/permissions.guard.js';
import type { Subject } from '../keys/access-token.js';
import { namedByAddress } from '../users/nameless.js';
import {
  adminUserSchema,
  type AdminUserView,
  adminViewOf,
  createUserByAddressSchema,
  type CreateUserBody,
  type CreateUserByAddressBody,
  createUserSchema,
} from './admin.schemas.js';
import { AdminUsersService } from './admin-users.service.js';

/** Creates users with a username. */
@ApiTags('users')
@Controller('users')
@UseGuards(JwtAuthGuard)
@refuses(403, 'A permission is missing, or the other user has more permissions')
export class UserCreationController {
  constructor(private readonly admin: AdminUsersService) {}

  @Post()
  @Permissions('users:write')
  @ApiOperation({ summary: 'Create a user, and mail a link to set a password' })
  @ApiResponse({ status: 201, description: 'The new user', standardSchema: adminUserSchema })
  @refuses(400, 'A parameter is missing or not valid')
  @refuses(409, 'The username or e-mail address is taken')
  async create(
    @CurrentUser() actor: Subject,
    @Body({ schema: createUserSchema }) body: CreateUserBody,
  ): Promise<AdminUserView> {
    return adminViewOf(await this.admin.create(actor, body));
  }
}

/** Creates users with an address alone, for `IDENTIFIER=email`. */
@ApiTags('users')
@Controller('users')
@UseGuards(JwtAuthGuard)
@refuses(403, 'A permission is missing, or the other user has more permissions')
export class UserCreationByAddressController {
  constructor(private readonly admin: AdminUsersService) {}

  @Post()
  @Permissions('users:write')
  @ApiOperation({ summary: 'Create a user, and mail a link to set a password' })
  @ApiResponse({ status: 201, description: 'The new user', standardSchema: adminUserSchema })
  @refuses(400, 'A parameter is missing or not valid')
  @refuses(409, 'The e-mail address is taken')
  async create(
    @CurrentUser() actor: Subject,
    @Body({ schema: createUserByAddressSchema }) body: CreateUserByAddressBody,
  ): Promise<AdminUserView> {
    const username = namedByAddress(body.email);
    return adminViewOf(await this.admin.create(actor, { ...body, username }));
  }
}
