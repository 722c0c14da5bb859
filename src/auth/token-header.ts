import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { ApiError } from '../common/api-error.js';
import { Config } from '../config/config.js';
import { AuthHooks } from './hooks.js';

/** Matches a token without its scheme. */
const BARE_TOKEN = /^[\w-]+\.[\w-]+\.[\w-]*$/;

/** The hooks that may replace a refusal. */
const HOOKS = {
  missing: 'missingToken',
  expired: 'expiredToken',
  invalid: 'invalidToken',
  ended: 'invalidToken',
} as const;

/** Finds the token in a request's header, and makes the refusals about it. */
@Injectable()
export class TokenHeader {
  /** In lower case. */
  private readonly name: string;
  /** The text before the token in a header of the usual form. */
  private readonly prefix: string;

  constructor(
    private readonly config: Config,
    private readonly hooks: AuthHooks,
  ) {
    const { headerName, headerType } = config.jwt;
    this.name = headerName.toLowerCase();
    this.prefix = headerType === '' ? '' : `${headerType} `;
  }

  /**
   * Returns the token of the configured header (RFC 6750, section 2.1).
   *
   * @throws ApiError missing_authorization, malformed_authorization
   */
  read(request: FastifyRequest): string {
    const { headerName, headerType } = this.config.jwt;
    const value = this.value(request);
    if (!value) {
      throw new ApiError('missing_authorization', { msg: `Missing ${headerName} Header` });
    }
    const rest = value.slice(this.prefix.length);
    // The usual form first: parsing the header would cost as much as all other work on it.
    if (value.startsWith(this.prefix) && rest !== '' && !hasSpace(rest)) return rest;
    const parts = value.trim().split(/\s+/);
    const scheme = headerType === '' ? '' : parts.shift();
    const [token] = parts;
    // The scheme ignores case (RFC 9110, section 11.1).
    if (scheme?.toLowerCase() !== headerType.toLowerCase() || !token || parts.length > 1) {
      const expected = headerType === '' ? '<JWT>' : `${headerType} <JWT>`;
      throw new ApiError('malformed_authorization', {
        msg: `Bad ${headerName} header. Expected value '${expected}'`,
      });
    }
    return token;
  }

  /**
   * Tells whether the request has a token, good or bad. It has none if the header is missing, or has another
   * scheme, such as the `Basic` of a proxy.
   *
   * @throws ApiError malformed_authorization if the header is sent twice
   */
  isPresent(request: FastifyRequest): boolean {
    const value = this.value(request)?.trim();
    if (!value) return false;
    const { headerType } = this.config.jwt;
    const [scheme = '', ...rest] = value.split(/\s+/);
    if (headerType === '') return rest.length === 0;
    return scheme.toLowerCase() === headerType.toLowerCase() || BARE_TOKEN.test(value);
  }

  /**
   * Returns the header's value, if it was sent.
   *
   * @throws ApiError malformed_authorization
   */
  private value({ raw: { rawHeaders } }: FastifyRequest): string | undefined {
    let value: string | undefined;
    for (let i = 0; i < rawHeaders.length; i += 2) {
      if (!this.isOwn(rawHeaders[i] ?? '')) continue;
      // Node would keep the first header, but a proxy before this server may have read the last.
      if (value !== undefined) {
        const msg = `More than one ${this.config.jwt.headerName} header`;
        throw new ApiError('malformed_authorization', { msg });
      }
      value = rawHeaders[i + 1];
    }
    return value;
  }

  /** Tells whether `name` is that of the header. Most names differ in length already. */
  private isOwn(name: string): boolean {
    return name.length === this.name.length && name.toLowerCase() === this.name;
  }

  /**
   * Returns a refusal in the form for the client: with the configured status, or the project's own answer.
   */
  refusal(error: ApiError): ApiError {
    const reason = error.tokenRefusal;
    if (!reason) return error;
    const own = this.hooks[HOOKS[reason]](error);
    const { invalidTokenStatus } = this.config.jwt;
    const answer =
      own ??
      (invalidTokenStatus !== 401 && reason === 'invalid'
        ? { status: invalidTokenStatus, body: { ...error.body } }
        : undefined);
    return answer ? error.with({ answer }) : error;
  }
}

/** Tells whether `text` has any white space that a header can hold (RFC 9110, section 5.5). */
const hasSpace = (text: string): boolean =>
  text.includes(' ') || text.includes('\t') || text.includes('\u00a0');
