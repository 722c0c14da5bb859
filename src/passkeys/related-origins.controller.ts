import { Controller, Get, Header } from '@nestjs/common';
import { refuses } from '../auth/openapi.js';
import { ApiOperation, ApiResponse, ApiTags } from '../common/api-decorators.js';
import { ApiError } from '../common/api-error.js';
import { Public } from '../common/public.js';
import { relatedOriginsSchema, type RelatedOriginsView } from './passkeys.views.js';
import { RelyingParty } from './relying-party.js';

/** Tells browsers which origins of other domains may use the passkeys (WebAuthn, section 5.11). */
@ApiTags('keys')
@Public()
@Controller('.well-known/webauthn')
export class RelatedOriginsController {
  constructor(private readonly party: RelyingParty) {}

  @Get()
  @Header('Cache-Control', 'public, max-age=300')
  @ApiOperation({ summary: 'The origins whose pages may use passkeys of this server' })
  @ApiResponse({ status: 200, description: 'Origins', standardSchema: relatedOriginsSchema })
  @refuses(404, 'There are none: `WEBAUTHN_ORIGINS` is not set')
  origins(): RelatedOriginsView {
    const { relatedOrigins: origins } = this.party;
    if (origins.length === 0) throw new ApiError('not_found');
    return { origins };
  }
}
