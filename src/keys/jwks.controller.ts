import { etagOf, isKnown } from '../common/etag.js';
import { Public } from '../common/public.js';
import { Controller, Get, Header, Headers, HttpStatus, Res } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '../common/api-decorators.js';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { Keyring, type PublicJwk } from './keyring.js';

/** A JWK set (RFC 7517, section 5). */
const jwksSchema = z
  .object({ keys: z.array(z.looseObject({ kty: z.string(), kid: z.string(), alg: z.string() })) })
  .meta({ title: 'JwkSet' });

@ApiTags('keys')
@Public()
@Controller('.well-known/jwks.json')
export class JwksController {
  private readonly set: { keys: readonly PublicJwk[] };
  private readonly etag: string;

  constructor(keyring: Keyring) {
    this.set = { keys: keyring.publicKeys };
    this.etag = etagOf(JSON.stringify(this.set));
  }

  /**
   * Answers the public keys for services that verify tokens themselves (RFC 7517, section 5). The signing key
   * comes first, then the other accepted keys in the order of the settings.
   */
  @Get()
  @Header('Cache-Control', 'public, max-age=300')
  @ApiOperation({ summary: 'Get the public keys, for services that verify tokens themselves' })
  @ApiResponse({
    status: 200,
    description: 'A JWK set; empty if tokens are signed with a secret',
    standardSchema: jwksSchema,
  })
  @ApiResponse({ status: 304, description: 'The set has the `ETag` of `If-None-Match`' })
  keys(
    @Res({ passthrough: true }) reply: FastifyReply,
    @Headers('if-none-match') known?: string,
  ): { keys: readonly PublicJwk[] } | undefined {
    reply.header('ETag', this.etag);
    if (!isKnown(this.etag, known)) return this.set;
    reply.code(HttpStatus.NOT_MODIFIED);
    return undefined;
  }
}
