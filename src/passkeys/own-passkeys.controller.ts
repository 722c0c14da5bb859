import {
  Body,
  Controller,
  Delete,
  Get,
  Headers,
  HttpCode,
  Param,
  Patch,
  Post,
} from '@nestjs/common';
import { CurrentRequest, CurrentUser } from '../auth/decorators.js';
import { AllowBeforeEnrolment } from '../auth/enrolment.js';
import { OwnAccount } from '../auth/impersonation.guard.js';
import { refuses } from '../auth/openapi.js';
import type { OwnRequest } from '../auth/signed-in-user.service.js';
import { StepUp } from '../auth/step-up.guard.js';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '../common/api-decorators.js';
import type { Subject } from '../keys/access-token.js';
import { RateLimit } from '../throttling/rate-limit.guard.js';
import { defaultName } from './passkey-name.js';
import { PASSKEYS_LIMIT } from './passkeys.limits.js';
import {
  type RegisterPasskeyBody,
  registerPasskeySchema,
  type RenamePasskeyBody,
  renamePasskeySchema,
} from './passkeys.schemas.js';
import { PasskeysService } from './passkeys.service.js';
import {
  type CreationOptions,
  creationOptionsSchema,
  newPasskeySchema,
  type NewPasskeyView,
  passkeySchema,
  passkeysSchema,
  type PasskeysView,
  type PasskeyView,
  passkeyViewOf,
  removedPasskeySchema,
  type RemovedPasskeyView,
} from './passkeys.views.js';
import { RelyingParty } from './relying-party.js';

/** The signed-in user's own passkeys. */
@ApiTags('factors')
@ApiBearerAuth()
@Controller('me/passkeys')
@OwnAccount()
@refuses(401, 'No good access token')
export class OwnPasskeysController {
  constructor(
    private readonly passkeys: PasskeysService,
    private readonly party: RelyingParty,
  ) {}

  @Get()
  @AllowBeforeEnrolment()
  @ApiOperation({ summary: "The signed-in user's passkeys, the oldest first" })
  @ApiResponse({ status: 200, description: 'Passkeys', standardSchema: passkeysSchema })
  async list(@CurrentUser() { id }: Subject): Promise<PasskeysView> {
    const { passkeys, handle } = await this.passkeys.list(id);
    return {
      passkeys: passkeys.map(passkeyViewOf),
      rp_id: this.party.id,
      user_handle: handle,
    };
  }

  @Post('options')
  @StepUp()
  @AllowBeforeEnrolment()
  @RateLimit(PASSKEYS_LIMIT)
  @HttpCode(200)
  @ApiOperation({ summary: 'Begin the registration of a passkey' })
  @ApiResponse({ status: 200, description: 'For 5 minutes', standardSchema: creationOptionsSchema })
  @refuses(409, 'The user has ten passkeys')
  options(@CurrentRequest() own: OwnRequest): Promise<CreationOptions> {
    return this.passkeys.options(own);
  }

  @Post()
  @StepUp()
  @AllowBeforeEnrolment()
  @RateLimit(PASSKEYS_LIMIT)
  @ApiOperation({ summary: 'Register a passkey; without a name it gets that of the device' })
  @ApiResponse({ status: 201, description: 'Registered', standardSchema: newPasskeySchema })
  @refuses(400, 'A parameter is missing, or the answer or its challenge is not valid')
  @refuses(409, 'The passkey is registered already, or the user has ten')
  register(
    @CurrentRequest() own: OwnRequest,
    @Body({ schema: registerPasskeySchema }) body: RegisterPasskeyBody,
    @Headers('user-agent') userAgent = '',
  ): Promise<NewPasskeyView> {
    return this.passkeys.register(own, body, body.name ?? defaultName(userAgent));
  }

  @Patch(':id')
  @StepUp()
  @RateLimit(PASSKEYS_LIMIT)
  @ApiOperation({ summary: 'Rename a passkey' })
  @ApiResponse({ status: 200, description: 'Renamed', standardSchema: passkeySchema })
  @refuses(400, 'The name is missing or not valid')
  @refuses(404, 'The user has no such passkey')
  async rename(
    @CurrentRequest() own: OwnRequest,
    @Param('id') id: string,
    @Body({ schema: renamePasskeySchema }) { name }: RenamePasskeyBody,
  ): Promise<PasskeyView> {
    return passkeyViewOf(await this.passkeys.rename(own, id, name));
  }

  @Delete(':id')
  @StepUp()
  @RateLimit(PASSKEYS_LIMIT)
  @ApiOperation({ summary: 'Remove a passkey; the answer is for the signal to its authenticator' })
  @ApiResponse({ status: 200, description: 'Removed', standardSchema: removedPasskeySchema })
  @refuses(404, 'The user has no such passkey')
  @refuses(409, 'It is the last way to sign in')
  async remove(
    @CurrentRequest() own: OwnRequest,
    @Param('id') id: string,
  ): Promise<RemovedPasskeyView> {
    const removed = await this.passkeys.removeOwn(own, id);
    return { credential_id: removed.credentialId, rp_id: removed.rpId };
  }
}
