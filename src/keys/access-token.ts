import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';
import { z } from 'zod';
import { ApiError } from '../common/api-error.js';
import { clock } from '../common/clock.js';
import { Config } from '../config/config.js';
import { signEdDsa } from './eddsa.js';
import { Keyring } from './keyring.js';

/** How far ahead the clock of a token's issuer can be, in seconds. Instances on PostgreSQL share one clock. */
const NBF_TOLERANCE = 30;

const seconds = z.int().nonnegative();

/** The client that tokens are issued to (RFC 9068, section 2.2): Latchkey's own ways to sign in. */
const OWN_CLIENT = 'latchkey';

const claimsSchema = z
  .looseObject({
    iss: z.string(),
    sub: z.string().optional(),
    username: z.string(),
    roles: z.array(z.string()),
    sid: z.string(),
    ver: seconds,
    iat: seconds,
    nbf: seconds,
    exp: seconds,
    jti: z.string(),
    client_id: z.string().optional(),
    /** When the user last proved a credential (OpenID Connect Core, section 2). */
    auth_time: seconds.optional(),
    /** The methods that the user has proven (RFC 8176). */
    amr: z.array(z.string()).optional(),
    /** The assurance level of the session, such as `urn:latchkey:aal1`. */
    acr: z.string().optional(),
    /** Set if the user has to enrol a second factor first. Such a token names no roles. */
    enrolment_required: z.literal(true).optional(),
    act: z.looseObject({ sub: z.string() }).optional(),
    act_ver: seconds.optional(),
    act_roles: seconds.optional(),
  })
  .refine(({ act, act_ver: version }) => (act === undefined) === (version === undefined));

/**
 * The claims of an access token (RFC 9068, section 2.2), a project's own claims among them. `act` names the
 * user that acts on behalf of the subject (RFC 8693, section 4.1). In that case `sid` is the actor's session,
 * `act_ver` is the actor's `ver`, and `act_roles` is the version of the roles at that time
 * (`RolePermissions.version`).
 */
export type AccessTokenClaims = z.infer<typeof claimsSchema>;

/** The user that a token is about. */
export interface Subject {
  id: string;
  username: string;
  roles: string[];
}

/** The contents of a token beside its subject. */
export interface SignOptions {
  sid: string;
  ver: number;
  /** When the subject signed in, in seconds since 1970. Left out if an actor acts for the subject. */
  authTime?: number;
  /** How the subject signed in. Left out if an actor acts for the subject. */
  amr?: string[];
  acr?: string;
  /** Whether the subject may do nothing but enrol a second factor. */
  mustEnrol?: boolean;
  /**
   * The user that acts on behalf of the subject, and the version of the roles. `sid` is this user's session.
   */
  actor?: { id: string; ver: number; roles: number };
  /** Lifetime in seconds, at most `JWT_EXPIRES`: revocations are remembered only for that long. */
  expires?: number;
  /** The latest end of the lifetime, in seconds since 1970. */
  until?: number;
}

/** Signs access tokens and checks their claims; passport-jwt verifies the signature. */
@Injectable()
export class AccessTokens {
  constructor(
    private readonly config: Config,
    private readonly keyring: Keyring,
    private readonly jwt: JwtService,
  ) {}

  /** Returns a new token for `subject`. `own` holds a project's claims, which never replace Latchkey's. */
  sign(subject: Subject, options: SignOptions, own: Record<string, unknown> = {}): Promise<string> {
    const { type, signingKey } = this.config.jwt;
    const claims = { ...own, ...this.claimsOf(subject, options) };
    const { algorithm, kid } = this.keyring;
    const header = { alg: algorithm, typ: type, kid };
    if (algorithm === 'EdDSA') return Promise.resolve(signEdDsa(header, claims, signingKey));
    return this.jwt.signAsync(claims, { algorithm, header });
  }

  /** Returns the claims of a token for `subject`. Undefined values keep a project's claims from setting a name. */
  claimsOf(
    subject: Subject,
    {
      sid,
      ver,
      authTime,
      amr,
      acr,
      mustEnrol,
      actor,
      expires = this.config.jwt.expires,
      until = Infinity,
    }: SignOptions,
  ) {
    const { issuer, audience, identityClaim } = this.config.jwt;
    const now = Math.floor(clock.now() / 1000);
    return {
      iss: issuer,
      [identityClaim]: subject.id,
      username: subject.username,
      roles: mustEnrol ? [] : subject.roles,
      sid,
      ver,
      auth_time: authTime,
      amr,
      acr,
      enrolment_required: mustEnrol ? (true as const) : undefined,
      iat: now,
      nbf: now,
      exp: Math.min(now + expires, until),
      jti: randomUUID(),
      client_id: OWN_CLIENT,
      aud: audience,
      act: actor && { sub: actor.id },
      act_ver: actor?.ver,
      act_roles: actor?.roles,
    };
  }

  /**
   * Checks the claims of a token whose signature is good: issuer, audience, and the type and presence of all
   * others. {@link checkTimes} checks the times.
   *
   * @throws ApiError token_issuer_invalid, token_audience_invalid, token_claims_invalid
   */
  read(payload: Record<string, unknown>): { claims: AccessTokenClaims; subject: Subject } {
    const { issuer, identityClaim } = this.config.jwt;
    if (payload.iss !== issuer) throw wrongClaim('token_issuer_invalid', payload.iss);
    this.checkAudience(payload);
    const claims = claimsSchema.safeParse(payload).data;
    const id = claims?.[identityClaim];
    if (!claims || typeof id !== 'string') throw new ApiError('token_claims_invalid');
    return { claims, subject: { id, username: claims.username, roles: claims.roles } };
  }

  /**
   * Refuses a token that names other audiences (RFC 7519, section 4.1.3), also if this server has no
   * audience.
   */
  private checkAudience(payload: Record<string, unknown>): void {
    const { audience } = this.config.jwt;
    if (audience === undefined && payload.aud === undefined) return;
    const own: unknown[] = [audience ?? []].flat();
    if ([payload.aud].flat().some((name) => own.includes(name))) return;
    throw wrongClaim('token_audience_invalid', payload.aud);
  }

  /**
   * Checks expiry and not-before. A token expires at the latest after today's `JWT_EXPIRES`, even if it was
   * issued under a longer one, because revocations are remembered only for that long.
   *
   * @throws ApiError token_expired, token_not_yet_valid
   */
  checkTimes({ exp, iat, nbf }: AccessTokenClaims): void {
    const now = clock.now() / 1000;
    const { expires } = this.config.jwt;
    const latest = iat + expires + NBF_TOLERANCE;
    if (exp <= now || latest <= now) throw new ApiError('token_expired');
    if (nbf > now + NBF_TOLERANCE) throw new ApiError('token_not_yet_valid');
  }
}

/** Returns the error for a wrong claim. Its sentence says if the claim is missing. */
function wrongClaim(
  code: 'token_issuer_invalid' | 'token_audience_invalid',
  value: unknown,
): ApiError {
  const missing = {
    token_issuer_invalid: 'The token does not say which server issued it',
    token_audience_invalid: 'The token does not say which audience it is meant for',
  }[code];
  return new ApiError(code, value === undefined ? { msg: missing } : {});
}
