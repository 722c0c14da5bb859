import { Body, Controller, Headers, Post } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '../common/api-decorators.js';
import { ClientSignal } from '../common/client-signal.js';
import { Public } from '../common/public.js';
import { RateLimit } from '../throttling/rate-limit.guard.js';
import {
  type RegisterBody,
  registerSchema,
  userSchema,
  type UserView,
  viewOf,
} from './auth.schemas.js';
import { refuses, refusesOverload } from './openapi.js';
import { RegistrationService } from './registration.service.js';

/** Registration with a username. */
@ApiTags('auth')
@Controller()
export class RegistrationController {
  constructor(private readonly registration: RegistrationService) {}

  @Public()
  @Post('register')
  @RateLimit('register')
  @ApiOperation({ summary: 'Register a user' })
  @ApiResponse({ status: 201, description: 'The new user', standardSchema: userSchema })
  @refuses(400, 'A parameter is missing or not valid, or the password is weak')
  @refuses(409, 'The username is taken')
  @refusesOverload()
  async register(
    @Body({ schema: registerSchema }) body: RegisterBody,
    @ClientSignal() signal: AbortSignal,
    @Headers('accept-language') locale?: string,
  ): Promise<UserView> {
    return viewOf(await this.registration.register(body, locale, { signal }));
  }
}
