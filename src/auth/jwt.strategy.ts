import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import type { FastifyRequest } from 'fastify';
import { Strategy } from 'passport-jwt';
import { withoutStacks } from '../common/stacks.js';
import { Config } from '../config/config.js';
import { AccessTokens } from '../keys/access-token.js';
import { readPayload } from '../keys/compact-jws.js';
import { Keyring } from '../keys/keyring.js';
import type { Authentication } from './authentication.js';
import { TokenHeader } from './token-header.js';

/**
 * Verifies access tokens by passport-jwt: signature under the key's one algorithm, expiry, issuer,
 * audience. The strict checks of the compact form and header stand before it, in the choice of the
 * key, those of the claims after it.
 */
@Injectable()
export class JwtStrategy extends PassportStrategy(Strategy, 'jwt') {
  constructor(
    config: Config,
    keyring: Keyring,
    private readonly header: TokenHeader,
    private readonly accessTokens: AccessTokens,
  ) {
    super({
      jwtFromRequest: (request: unknown) => header.read(request as FastifyRequest),
      secretOrKeyProvider: (_request: unknown, token: string, done) => {
        try {
          // passport-jwt's types ask for a string; a KeyObject saves a PEM parse each time.
          done(null, keyring.keyFor(token) as unknown as string);
        } catch (error) {
          done(error);
        }
      },
      algorithms: [...keyring.algorithms],
      issuer: config.jwt.issuer,
      audience: config.jwt.audience,
      // Checked with the claims, with a tolerance that expiry does not have.
      jsonWebTokenOptions: { ignoreNotBefore: true },
      passReqToCallback: true,
    });
  }

  /** A bad token is no fault of ours: jsonwebtoken's errors about it need no stack. */
  override authenticate(...args: Parameters<Strategy['authenticate']>): void {
    withoutStacks(() => {
      super.authenticate(...args);
    });
  }

  /** Called by passport-jwt once the signature is good. @throws ApiError as `AccessTokens.read` */
  validate(request: FastifyRequest): Authentication {
    return this.accessTokens.read(readPayload(this.header.read(request)));
  }
}
