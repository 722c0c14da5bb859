import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { ApiError } from '../common/api-error.js';
import { Config } from '../config/config.js';
import { AuthHooks } from './hooks.js';

/** Finds the token in a request's header and words the refusals that concern it. */
@Injectable()
export class TokenHeader {
  /** In lower case. */
  private readonly name: string;

  constructor(
    private readonly config: Config,
    private readonly hooks: AuthHooks,
  ) {
    this.name = config.jwt.headerName.toLowerCase();
  }

  /**
   * The token of the header that the settings name (RFC 6750, section 2.1).
   *
   * @throws ApiError missing_authorization, malformed_authorization
   */
  read(request: FastifyRequest): string {
    const { headerName, headerType } = this.config.jwt;
    const [value, ...more] = this.values(request);
    // Node would keep the first; whatever stands before this server may have looked at the last.
    if (more.length > 0) {
      throw new ApiError('malformed_authorization', { msg: `More than one ${headerName} header` });
    }
    if (!value) {
      throw new ApiError('missing_authorization', { msg: `Missing ${headerName} Header` });
    }
    const parts = value.trim().split(/\s+/);
    const scheme = headerType === '' ? '' : parts.shift();
    const [token] = parts;
    // The scheme's case does not matter (RFC 9110, section 11.1).
    if (scheme?.toLowerCase() !== headerType.toLowerCase() || !token || parts.length > 1) {
      const expected = headerType === '' ? '<JWT>' : `${headerType} <JWT>`;
      throw new ApiError('malformed_authorization', {
        msg: `Bad ${headerName} header. Expected value '${expected}'`,
      });
    }
    return token;
  }

  /** Whether the request carries the header at all. */
  isPresent(request: FastifyRequest): boolean {
    return this.values(request).some(Boolean);
  }

  /** The header's values, one for each time it was sent. */
  private values({ raw: { rawHeaders } }: FastifyRequest): string[] {
    const values: string[] = [];
    for (let i = 0; i < rawHeaders.length; i += 2) {
      if (rawHeaders[i]?.toLowerCase() === this.name) values.push(rawHeaders[i + 1] ?? '');
    }
    return values;
  }

  /**
   * A refusal as the client is shown it: with the status that the settings want, or the project's
   * own answer.
   */
  refusal(error: ApiError): ApiError {
    const missing = error.code === 'missing_authorization';
    const expired = error.code === 'token_expired';
    const hook = missing ? 'missingToken' : expired ? 'expiredToken' : 'invalidToken';
    const own = this.hooks[hook](error);
    const { invalidTokenStatus } = this.config.jwt;
    const malformed = /^(malformed_authorization|token_(?!expired|revoked))/.test(error.code);
    const answer =
      own ??
      (malformed && invalidTokenStatus !== 401
        ? { status: invalidTokenStatus, body: { ...error.body } }
        : undefined);
    return answer ? error.with({ answer }) : error;
  }
}
