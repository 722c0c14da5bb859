import { Body, Controller, Headers, HttpCode, Post } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '../common/api-decorators.js';
import { ClientSignal } from '../common/client-signal.js';
import { Public } from '../common/public.js';
import { RateLimit } from '../throttling/rate-limit.guard.js';
import { AddressRegistrationService } from './address-registration.service.js';
import {
  acceptedSchema,
  type AcceptedView,
  type AddressRegistrationBody,
  addressRegistrationSchema,
} from './auth.schemas.js';
import { refuses, refusesOverload } from './openapi.js';

/** Registration with an address alone, for `IDENTIFIER=email`. */
@ApiTags('auth')
@Controller()
export class AddressRegistrationController {
  constructor(private readonly registration: AddressRegistrationService) {}

  @Public()
  @Post('register')
  @RateLimit('register')
  @HttpCode(202)
  @ApiOperation({ summary: 'Register a user, who finishes the registration by a mailed link' })
  @ApiResponse({
    status: 202,
    description: 'The same answer for every address',
    standardSchema: acceptedSchema,
  })
  @refuses(400, 'A parameter is missing or not valid, or the password is weak')
  @refusesOverload()
  async register(
    @Body({ schema: addressRegistrationSchema }) body: AddressRegistrationBody,
    @ClientSignal() signal: AbortSignal,
    @Headers('accept-language') locale?: string,
  ): Promise<AcceptedView> {
    await this.registration.register(body, locale, { signal });
    return { msg: 'A mail to this address is on its way; follow its link to go on' };
  }
}
