import {
  applyDecorators,
  type CanActivate,
  type ExecutionContext,
  Injectable,
  mixin,
  type Type,
  UseGuards,
} from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { ApiTooManyRequestsResponse } from '../common/api-decorators.js';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { replyOf, requestOf } from '../common/request-of.js';
import type { LimitName } from '../config/limits.js';
import { RATE_FORM, readRate } from '../config/rate.js';
import type { Count } from './limit-store.js';
import { rateLimitHeaders, RateLimits } from './rate-limits.js';

/**
 * Returns the key by which a request counts, such as an id or an address; null if the limit is not for this
 * request. It runs before the body is validated. `app` gives services: `app.get(Service, { strict: false })`.
 */
export interface LimitKey {
  (request: FastifyRequest, app: ModuleRef): string | null;
  /** The guards that provide the key. The limit brings them along, and they run before it. */
  guards?: Type<CanActivate>[];
}

/**
 * A limit from the settings by its name, or a project's own limit, by the client's address or another key.
 */
export type LimitDeclaration =
  LimitName | { name: LimitName; by: LimitKey } | { name: string; limit: string; by?: LimitKey };

/**
 * Limits how often a method, or all methods of a controller together, may be called: `@RateLimit('login')`,
 * `@RateLimit({ name: 'feed', limit: '10/1m', by: signedInUser })`, or several. Beyond the limit the answer
 * is 429 `too_many_requests`, before the body is validated. The decorator brings its guard and the guards of its
 * keys. If a key is missing all the same, the route answers 500, because a limit without a key would limit
 * nothing.
 *
 * @throws Error at the start, if a rate cannot be parsed or a name has two rates
 */
export function RateLimit(...declarations: LimitDeclaration[]): ClassDecorator & MethodDecorator {
  @Injectable()
  class RateLimitGuard implements CanActivate {
    private readonly declared;

    constructor(
      private readonly limits: RateLimits,
      private readonly app: ModuleRef,
    ) {
      this.declared = declarations.map((declaration) => {
        const { name, limit, by }: { name: string; limit?: string; by?: LimitKey } =
          typeof declaration === 'string' ? { name: declaration } : declaration;
        if (limit === undefined) return { limit: limits.named(name), by };
        const rate = readRate(limit);
        if (!rate) throw new Error(`The limit "${name}": "${limit}" is not ${RATE_FORM}`);
        return { limit: limits.declare({ name, ...rate }), by };
      });
    }

    async canActivate(context: ExecutionContext): Promise<boolean> {
      const request = requestOf(context);
      const counts: Count[] = [];
      for (const { limit, by } of this.declared) {
        const key: unknown = by ? by(request, this.app) : this.limits.networkOf(request);
        if (typeof key !== 'string' && key !== null) {
          throw new Error(`The limit "${limit.name}" has no key: its "by" returns ${typeof key}`);
        }
        if (key === null) continue;
        const count = await this.limits.take(request, limit, key);
        if (count) counts.push(count);
      }
      if (counts.length > 0) show(replyOf(context), counts);
      return true;
    }
  }
  const needed = declarations.flatMap((declaration) =>
    typeof declaration === 'string' ? [] : (declaration.by?.guards ?? []),
  );
  return applyDecorators(
    UseGuards(...new Set(needed), mixin(RateLimitGuard)),
    ApiTooManyRequestsResponse({ description: 'Too many requests' }),
  );
}

/** Adds to the headers that another limit of the same route has set. */
function show(reply: FastifyReply, counts: Count[]): void {
  for (const [name, value] of Object.entries(rateLimitHeaders(counts))) {
    const before = reply.getHeader(name);
    reply.header(name, before === undefined ? value : `${String(before)}, ${value}`);
  }
}
