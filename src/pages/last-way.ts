import { Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { PageCookies } from './page-cookies.js';
import { SignInWays } from './sign-in-ways.js';

/** The ways that `/sign-in` has itself, by the routes of their forms. */
const WAYS: readonly (readonly [route: string, name: string])[] = [
  ['/sign-in', 'password'],
  ['/sign-up', 'password'],
  ['/sign-in/passkey', 'passkey'],
];

const COOKIE = 'latchkey_way';

/** Seconds in a year. */
const YEAR = 365 * 86_400;

/**
 * The name of the way that a browser last signed in by, in a cookie of its own. It is no secret, and proves
 * nothing.
 */
@Injectable()
export class LastWay {
  constructor(
    private readonly ways: SignInWays,
    private readonly cookies: PageCookies,
  ) {}

  /** Keeps the way of a request that has proven a first factor. After a second factor the way stays as it is. */
  keep({ routeOptions }: FastifyRequest, reply: FastifyReply): void {
    const way = this.known.find(([route]) => route === routeOptions.url);
    if (way) this.cookies.write(reply, COOKIE, way[1], YEAR);
  }

  /** Returns the way that a browser last signed in by; undefined if it is unknown. */
  of({ headers }: FastifyRequest): string | undefined {
    const value = this.cookies.read(headers.cookie, COOKIE);
    return this.known.find(([, name]) => name === value)?.[1];
  }

  private get known() {
    return [...WAYS, ...this.ways.all.map(({ route, name }) => [route, name] as const)];
  }
}
