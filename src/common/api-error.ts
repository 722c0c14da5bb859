/**
 * All refusals and faults of Latchkey. The code is the contract and never changes. The sentence may change,
 * except where the tutorial's clients rely on it.
 */
export const API_ERRORS = {
  missing_json: [400, 'Missing JSON in request'],
  malformed_json: [400, 'The request body is not well-formed JSON'],
  json_too_deep: [400, 'The request body is nested too deeply'],
  missing_parameter: [400, 'A required parameter is missing'],
  invalid_parameter: [400, 'A parameter is not valid'],
  weak_password: [400, 'The password is not strong enough'],
  link_invalid: [400, 'This link is invalid or has expired; ask for a new one'],
  code_invalid: [400, 'This code is invalid or has expired; ask for a new one'],
  passkey_invalid: [400, 'This passkey was not accepted'],
  passkey_unknown: [400, 'This server does not know the passkey'],
  passkey_challenge_invalid: [
    400,
    'This passkey was asked for too long ago, or was used; try again',
  ],
  bad_request: [400, 'The server could not understand the request'],
  bad_credentials: [401, 'Bad username or password'],
  second_factor_required: [401, 'Prove a second factor to sign in'],
  challenge_invalid: [401, 'This sign-in has expired or was completed; start again'],
  unauthorized: [401, 'Sign in to do this'],
  missing_refresh_token: [401, 'The request has no refresh token'],
  refresh_token_invalid: [401, 'The refresh token is not valid'],
  refresh_token_expired: [401, 'The session has expired'],
  refresh_token_reused: [401, 'The refresh token was used before; the session has ended'],
  session_ended: [401, 'The session has ended'],
  reauthentication_required: [401, 'Sign in again, or send your current password, to do this'],
  missing_authorization: [401, 'Missing Authorization Header'],
  malformed_authorization: [401, "Bad Authorization header. Expected value 'Bearer <JWT>'"],
  token_malformed: [401, 'The token is not a well-formed JSON Web Token'],
  token_algorithm_invalid: [401, 'This server does not use the algorithm of the token'],
  token_signature_invalid: [401, 'Signature verification failed'],
  token_type_invalid: [401, 'The token is not an access token'],
  token_claims_invalid: [401, 'The token lacks a claim or has one of the wrong type'],
  token_issuer_invalid: [401, 'The token was issued by another server'],
  token_audience_invalid: [401, 'The token is meant for another audience'],
  token_not_yet_valid: [401, 'The token is not yet valid'],
  token_expired: [401, 'Token has expired'],
  token_revoked: [401, 'The token has been revoked'],
  token_stale: [401, 'The token is out of date; refresh it'],
  wrong_password: [403, 'The current password is wrong'],
  origin_not_allowed: [403, 'This origin may not send requests with a cookie'],
  forbidden: [403, 'You are not allowed to do this'],
  email_not_verified: [403, 'Verify the e-mail address of this account first'],
  enrolment_required: [403, 'Your role requires a second factor; add one first'],
  passkey_copied: [403, 'This passkey may have been copied; sign in by another way'],
  user_disabled: [403, 'This account is disabled'],
  impersonation_forbidden: [403, 'You cannot do this on behalf of another user'],
  not_found: [404, 'This path does not exist'],
  method_not_allowed: [405, 'This path does not support the method'],
  request_timeout: [408, 'The request took too long to arrive'],
  username_taken: [409, 'This username is taken'],
  email_taken: [409, 'This e-mail address is taken'],
  email_missing: [409, 'The user has no e-mail address'],
  passkey_taken: [409, 'This passkey is registered already'],
  last_credential: [409, 'This is the last way to sign in to this account'],
  too_many_factors: [409, 'You have as many factors of this kind as are allowed; remove one first'],
  last_admin: [409, 'This is the last administrator'],
  role_built_in: [409, 'This role is built in'],
  role_in_use: [409, 'A user still has this role'],
  account_changed: [409, 'The form was made for another account than the one that is signed in'],
  conflict: [409, 'The request conflicts with stored data'],
  body_too_large: [413, 'The request body is too large'],
  uri_too_long: [414, 'The URL of the request is too long'],
  expectation_failed: [417, 'The server cannot meet the expectation of the request'],
  too_many_requests: [429, 'Too many requests'],
  headers_too_large: [431, 'The request headers are too large'],
  // No client reads it. The status, nginx's, is for the log.
  client_gone: [499, 'The client closed the connection'],
  internal_error: [500, 'Something went wrong on our side'],
  unavailable: [503, 'The service cannot do this right now'],
  overloaded: [503, 'Too many users are signing in; try again shortly'],
  not_ready: [503, 'The service is not ready'],
} as const satisfies Record<string, readonly [status: number, msg: string]>;

/**
 * The text of `WWW-Authenticate` after the scheme (RFC 6750, section 3; RFC 9470, section 3). Other refusals
 * of a token say invalid_token.
 */
const CHALLENGES: Partial<Record<ApiErrorCode, string>> = {
  missing_authorization: '',
  missing_refresh_token: '',
};

/** The seconds of `Retry-After` if no better time is known. */
const RETRY_AFTER = '5';

/** The code of an error body; see {@link API_ERRORS}. */
export type ApiErrorCode = keyof typeof API_ERRORS;

/**
 * The refusals of a request for its access token, by their reason. After `expired` and `ended` a client
 * refreshes or signs in again. After `invalid` it has to correct its request.
 */
const TOKEN_REFUSALS = {
  missing_authorization: 'missing',
  malformed_authorization: 'invalid',
  token_malformed: 'invalid',
  token_algorithm_invalid: 'invalid',
  token_signature_invalid: 'invalid',
  token_type_invalid: 'invalid',
  token_claims_invalid: 'invalid',
  token_issuer_invalid: 'invalid',
  token_audience_invalid: 'invalid',
  token_not_yet_valid: 'invalid',
  token_expired: 'expired',
  token_revoked: 'ended',
  token_stale: 'ended',
} as const satisfies Partial<Record<ApiErrorCode, string>> &
  Record<Extract<ApiErrorCode, `token_${string}`>, string>;

const tokenRefusals: ReadonlyMap<string, 'missing' | 'invalid' | 'expired' | 'ended'> = new Map(
  Object.entries(TOKEN_REFUSALS),
);

/** One wrong field: its dotted path and a sentence. */
export interface FieldError {
  path: string;
  msg: string;
}

/** The body of an error. */
export interface ErrorBody {
  msg: string;
  code: string;
  errors?: FieldError[];
}

interface ApiErrorOptions {
  /** Replaces the table's sentence. */
  msg?: string;
  /** Given if several fields are wrong. */
  errors?: FieldError[];
  /** The dotted path of the wrong field if only one is wrong. It is not in the body. */
  field?: string;
  /** A finer reason than the code, for pages that say it in another language. It is not in the body. */
  reason?: string;
  /** More keys of the body, such as a challenge to answer. */
  details?: Record<string, unknown>;
  /** The text of `WWW-Authenticate` after the scheme. */
  challenge?: string;
  /** Response headers, such as `Retry-After`. */
  headers?: Record<string, string>;
  /** A project's own answer (see `auth/hooks.ts`). The code still names the error. */
  answer?: { status: number; body: Record<string, unknown> };
  /** The cause, for the log alone. */
  cause?: unknown;
}

/**
 * An answer that is not a success. Services and guards throw it, and the error filter writes it. Only a fault
 * of ours carries a stack: a refusal is the caller's doing, and a stack costs more than the rest of it.
 */
export class ApiError extends Error {
  override readonly name = 'ApiError';

  constructor(
    readonly code: ApiErrorCode,
    private readonly options: ApiErrorOptions = {},
  ) {
    const limit = Error.stackTraceLimit;
    if (!isFault(code)) Error.stackTraceLimit = 0;
    super(options.msg ?? API_ERRORS[code][1], { cause: options.cause });
    Error.stackTraceLimit = limit;
  }

  /** The HTTP status. */
  get status(): number {
    return this.options.answer?.status ?? API_ERRORS[this.code][0];
  }

  /** A finer reason than the code; undefined for most errors. */
  get reason(): string | undefined {
    return this.options.reason;
  }

  /** The wrong fields, also if only one is wrong. */
  get fields(): FieldError[] {
    const { errors, field } = this.options;
    return errors ?? (field === undefined ? [] : [{ path: field, msg: this.message }]);
  }

  /** Whether the error is a fault of ours, which the log describes in full. */
  get isFault(): boolean {
    return isFault(this.code);
  }

  /** The reason why the request's access token is refused, or `missing`; undefined for other errors. */
  get tokenRefusal(): 'missing' | 'invalid' | 'expired' | 'ended' | undefined {
    return tokenRefusals.get(this.code);
  }

  /** The response headers for a server whose tokens follow the word `Bearer`. */
  get headers(): Record<string, string> {
    return this.headersFor('Bearer');
  }

  /**
   * Returns the response headers: the challenge of RFC 6750, section 3, for `scheme`, and `Retry-After` if a
   * resource is unavailable.
   */
  headersFor(scheme: string): Record<string, string> {
    const challenge =
      this.options.challenge ??
      CHALLENGES[this.code] ??
      (this.tokenRefusal ? 'error="invalid_token"' : undefined);
    return {
      ...(challenge !== undefined && { 'WWW-Authenticate': `${scheme} ${challenge}`.trim() }),
      ...(this.code === 'unavailable' && { 'Retry-After': RETRY_AFTER }),
      ...this.options.headers,
    };
  }

  /** The seconds after which a client may try again. */
  get retryAfter(): number {
    return Number(this.options.headers?.['Retry-After'] ?? RETRY_AFTER);
  }

  /** More keys of the body, such as a challenge to answer. */
  get details(): Readonly<Record<string, unknown>> {
    return this.options.details ?? {};
  }

  /** The JSON body. */
  get body(): ErrorBody | Record<string, unknown> {
    if (this.options.answer) return this.options.answer.body;
    const { errors, details } = this.options;
    return { msg: this.message, code: this.code, ...(errors && { errors }), ...details };
  }

  /** Returns the same error with further options. */
  with(options: ApiErrorOptions): ApiError {
    return new ApiError(this.code, { ...this.options, ...options });
  }
}

/**
 * Refusals under load are no faults: clients cause any number of them. The code that refuses sums them up.
 */
const isFault = (code: ApiErrorCode): boolean =>
  API_ERRORS[code][0] >= 500 && code !== 'overloaded';

/** Returns the general code for an HTTP status, for errors of a library or a project's own code. */
export function codeOfStatus(status: number): ApiErrorCode {
  const general: Record<number, ApiErrorCode> = {
    401: 'unauthorized',
    403: 'forbidden',
    404: 'not_found',
    405: 'method_not_allowed',
    408: 'request_timeout',
    409: 'conflict',
    413: 'body_too_large',
    414: 'uri_too_long',
    // A body of another content type counts as missing.
    415: 'missing_json',
    417: 'expectation_failed',
    429: 'too_many_requests',
    431: 'headers_too_large',
    503: 'unavailable',
  };
  return general[status] ?? (status >= 400 && status < 500 ? 'bad_request' : 'internal_error');
}
