import { Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Config } from '../config/config.js';
import { isMailSignInOn } from '../mail-sign-in/mail-sign-in.settings.js';
import { PageCookies } from './page-cookies.js';

/** The first factor of a sign-in on the pages. */
export type Way = 'password' | 'passkey' | 'mail';

/** The ways by the routes of their forms. */
const WAYS: Readonly<Record<string, Way>> = {
  '/sign-in': 'password',
  '/sign-up': 'password',
  '/sign-in/passkey': 'passkey',
  '/sign-in/mail/verify': 'mail',
};

const COOKIE = 'latchkey_way';

/** Seconds in a year. */
const YEAR = 365 * 86_400;

/** The way that a browser last signed in by, in a cookie of its own. It is no secret, and proves nothing. */
@Injectable()
export class LastWay {
  private readonly known: readonly string[];

  constructor(
    config: Config,
    private readonly cookies: PageCookies,
  ) {
    this.known = ['password', 'passkey', ...(isMailSignInOn(config) ? ['mail'] : [])];
  }

  /** Keeps the way of a form that has proven a first factor. After a second factor the way stays as it is. */
  keep({ routeOptions }: FastifyRequest, reply: FastifyReply): void {
    const way = WAYS[routeOptions.url ?? ''];
    if (way) this.cookies.write(reply, COOKIE, way, YEAR);
  }

  /** Returns the way that a browser last signed in by; undefined if it is unknown. */
  of({ headers }: FastifyRequest): Way | undefined {
    const value = this.cookies.read(headers.cookie, COOKIE);
    return this.isKnown(value) ? value : undefined;
  }

  private isKnown(value: string | undefined): value is Way {
    return value !== undefined && this.known.includes(value);
  }
}
