import { createHash } from 'node:crypto';
import { Public } from '../common/public.js';
import { Controller, Get, Header, Headers, HttpStatus, Res } from '@nestjs/common';
import { ApiOkResponse, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Keyring, type PublicJwk } from './keyring.js';

@ApiTags('keys')
@Public()
@Controller('.well-known/jwks.json')
export class JwksController {
  private readonly set: { keys: readonly PublicJwk[] };
  private readonly etag: string;

  constructor(keyring: Keyring) {
    this.set = { keys: keyring.publicKeys };
    const hash = createHash('sha256').update(JSON.stringify(this.set));
    this.etag = `"${hash.digest('base64url')}"`;
  }

  /**
   * Public keys for services that verify tokens themselves (RFC 7517, section 5): the one that signs,
   * then those still or already accepted, in the order of the settings.
   */
  @Get()
  @Header('Cache-Control', 'public, max-age=300')
  @ApiOkResponse({ description: 'A JWK set; empty where tokens are signed with a secret' })
  @ApiResponse({ status: 304, description: 'The set has the `ETag` of `If-None-Match`' })
  keys(
    @Res({ passthrough: true }) reply: FastifyReply,
    @Headers('if-none-match') known = '',
  ): { keys: readonly PublicJwk[] } | undefined {
    reply.header('ETag', this.etag);
    // RFC 9110, section 13.1.2: a list, compared weakly.
    const tags = known.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
    if (!tags.includes(this.etag) && known.trim() !== '*') return this.set;
    reply.code(HttpStatus.NOT_MODIFIED);
    return undefined;
  }
}
