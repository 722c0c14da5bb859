import { Controller, Get, Header } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Keyring, type PublicJwk } from './keyring.js';

@ApiTags('keys')
@Controller('.well-known/jwks.json')
export class JwksController {
  constructor(private readonly keyring: Keyring) {}

  /** Public keys for services that verify tokens themselves (RFC 7517, section 5). */
  @Get()
  @Header('Cache-Control', 'public, max-age=300')
  @ApiOkResponse({ description: 'A JWK set; empty where tokens are signed with a secret' })
  keys(): { keys: PublicJwk[] } {
    return { keys: this.keyring.publicKeys };
  }
}
