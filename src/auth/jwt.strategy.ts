import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import type { FastifyRequest } from 'fastify';
import { Strategy } from 'passport-jwt';
import { ApiError } from '../common/api-error.js';
import { clock } from '../common/clock.js';
import { withoutStacks } from '../common/stacks.js';
import { AccessTokens } from '../keys/access-token.js';
import { readPayload } from '../keys/compact-jws.js';
import { isEdDsaKey, verifyEdDsa } from '../keys/eddsa.js';
import { Keyring } from '../keys/keyring.js';
import { type Authentication, tokenError } from './authentication.js';
import { refuseBeforeEnrolment } from './enrolment.js';
import { TokenHeader } from './token-header.js';
import { VerifiedTokens } from './verified-tokens.js';

/** A token that did not come in a request's header. */
class Carried {
  constructor(readonly token: string) {}
}

/**
 * Verifies access tokens by passport-jwt: the signature under the key's one algorithm, and expiry. The choice
 * of the key first checks the compact form and the header. Afterwards come the claims and the revocations.
 * Passport's own `AuthGuard('jwt')` uses this strategy by its name, and is as strict as `JwtAuthGuard`.
 */
@Injectable()
export class JwtStrategy extends PassportStrategy(Strategy, 'jwt') {
  constructor(
    private readonly keyring: Keyring,
    private readonly header: TokenHeader,
    private readonly accessTokens: AccessTokens,
    private readonly verified: VerifiedTokens,
  ) {
    super({
      jwtFromRequest: (source: unknown) => tokenOf(source, header),
      secretOrKeyProvider: (_request: unknown, token: string, done) => {
        try {
          // passport-jwt's types ask for a string; a KeyObject saves a PEM parse each time.
          done(null, keyring.keyFor(token) as unknown as string);
        } catch (error) {
          done(error);
        }
      },
      algorithms: keyring.algorithms.filter((algorithm) => algorithm !== 'EdDSA'),
      // `nbf` is checked with the claims, with a tolerance that expiry does not have.
      jsonWebTokenOptions: { ignoreNotBefore: true },
      passReqToCallback: true,
    });
    // passport-jwt copies its options once, so a time among them would never change.
    const { _verifOpts: options } = this as unknown as { _verifOpts: object };
    const get = () => Math.floor(clock.now() / 1000);
    Object.defineProperty(options, 'clockTimestamp', { get, enumerable: true });
  }

  /**
   * Verifies `token`. A strategy reports by methods that its caller sets. Each token has an object of its own
   * for them, so two parallel verifications never get each other's result.
   *
   * @throws ApiError as `Keyring.keyFor`, and token_malformed for anything but a text
   * @returns a promise that rejects with an ApiError as `AccessTokens.read` and `VerifiedTokens.check`. An
   *   immediate refusal is returned, as `tokenError`: a rejected promise would cost a good part of the time
   *   of a signature
   */
  verify(token: string): Promise<Authentication> | Error {
    if (typeof token !== 'string') throw new ApiError('token_malformed');
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
      // A bad token is no fault of ours, so jsonwebtoken's errors about it need no stack.
      withoutStacks(() => {
        try {
          attempt.authenticate(new Carried(token) as never);
        } catch (error) {
          refuse(error);
        }
      });
      inTime = false;
    });
    return refusal ?? verified;
  }

  /** Called by passport. jsonwebtoken has no EdDSA, so such a token is verified here. */
  override authenticate(source: never, options?: unknown): void {
    const token = tokenOf(source, this.header);
    const key = this.keyring.algorithms.includes('EdDSA') ? this.keyring.keyFor(token) : undefined;
    if (!key || !isEdDsaKey(key)) super.authenticate(source, options);
    else if (!verifyEdDsa(token, key)) throw new ApiError('token_signature_invalid');
    else this.success(this.validate(source));
  }

  /**
   * Called after the signature was verified.
   *
   * @throws ApiError as `AccessTokens.read` and `VerifiedTokens.check`; enrolment_required
   */
  validate(source: unknown): Authentication {
    const token = tokenOf(source, this.header);
    const authentication = this.accessTokens.read(readPayload(token));
    // Passport's guard knows no route that such a user may call.
    if (!(source instanceof Carried)) refuseBeforeEnrolment(authentication.claims);
    this.verified.check(authentication);
    return authentication;
  }
}

const tokenOf = (source: unknown, header: TokenHeader): string =>
  source instanceof Carried ? source.token : header.read(source as FastifyRequest);
