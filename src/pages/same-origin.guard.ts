import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { ApiError } from '../common/api-error.js';
import { requestOf } from '../common/request-of.js';
import { Config } from '../config/config.js';

/**
 * Refuses forms that another site sent (CSRF). Browsers say where a request comes from by `Sec-Fetch-Site`. Those
 * that do not, and all browsers on plain http, send the `Origin` of the page.
 */
@Injectable()
export class SameOriginGuard implements CanActivate {
  private readonly origin: string;

  constructor(config: Config) {
    this.origin = new URL(config.publicUrl).origin;
  }

  /** @throws ApiError origin_not_allowed */
  canActivate(context: ExecutionContext): boolean {
    const { method, headers } = requestOf(context);
    if (method === 'GET' || method === 'HEAD') return true;
    const site = headers['sec-fetch-site'];
    const isOurs = site === undefined ? headers.origin === this.origin : site === 'same-origin';
    if (!isOurs) throw new ApiError('origin_not_allowed');
    return true;
  }
}
