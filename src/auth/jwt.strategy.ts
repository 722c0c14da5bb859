import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import type { FastifyRequest } from 'fastify';
import { Strategy } from 'passport-jwt';
import { withoutStacks } from '../common/stacks.js';
import { Config } from '../config/config.js';
import { AccessTokens } from '../keys/access-token.js';
import { readPayload } from '../keys/compact-jws.js';
import { Keyring } from '../keys/keyring.js';
import { type Authentication, tokenError } from './authentication.js';
import { TokenHeader } from './token-header.js';
import { VerifiedTokens } from './verified-tokens.js';

/**
 * Verifies access tokens by passport-jwt: signature under the key's one algorithm, expiry, issuer,
 * audience. The strict checks of the compact form and header stand before it, in the choice of the
 * key, those of the claims and the revocations after it: by its name, in passport's own `AuthGuard('jwt')`,
 * it lets nobody in whom {@link JwtAuthGuard} would not.
 */
@Injectable()
export class JwtStrategy extends PassportStrategy(Strategy, 'jwt') {
  constructor(
    config: Config,
    private readonly keyring: Keyring,
    private readonly header: TokenHeader,
    private readonly accessTokens: AccessTokens,
    private readonly verified: VerifiedTokens,
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

  /**
   * Verifies `token`, which is that of `request`. A strategy reports by methods that its caller puts on
   * it, so each request has an object of its own for them: of two under way neither gets the other's
   * answer.
   *
   * @throws ApiError as `Keyring.keyFor`
   * @returns a promise that rejects with an ApiError as `AccessTokens.read` and `VerifiedTokens.check`; or,
   *   where that is known at once, the refusal itself, as `tokenError`: a promise that rejects costs a good
   *   part of what the signature does
   */
  verify(request: FastifyRequest, token: string): Promise<Authentication> | Error {
    this.keyring.keyFor(token);
    let refusal: Error | undefined;
    const verified = new Promise<Authentication>((resolve, reject) => {
      let inTime = true;
      const refuse = (reason: unknown) => {
        if (inTime) refusal = tokenError(reason);
        else reject(tokenError(reason));
      };
      const attempt = Object.assign(Object.create(this) as this, {
        success: resolve,
        fail: refuse,
        error: refuse,
      });
      // A bad token is no fault of ours: jsonwebtoken's errors about it need no stack.
      withoutStacks(() => {
        attempt.authenticate(request as never);
      });
      inTime = false;
    });
    return refusal ?? verified;
  }

  /**
   * Called by passport-jwt once the signature is good.
   *
   * @throws ApiError as `AccessTokens.read` and `VerifiedTokens.check`
   */
  validate(request: FastifyRequest): Authentication {
    const authentication = this.accessTokens.read(readPayload(this.header.read(request)));
    this.verified.check(authentication);
    return authentication;
  }
}
