import { randomBytes } from 'node:crypto';
import { fastifyCookie } from '@fastify/cookie';
import { Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { BROWSER_COOKIE } from '../auth/sign-in-origin.js';
import { Config } from '../config/config.js';

/** The length of a cookie's value: 32 random bytes in base64url. */
const VALUE = /^[\w-]{43}$/;

/**
 * The cookies of the pages. They are `Lax`, because a browser that comes from a link in a mail or from another
 * site has to be known. Over https they have the prefix `__Host-` (RFC 6265bis, section 4.1.3.2), which keeps
 * other hosts of the domain from setting them.
 */
@Injectable()
export class PageCookies {
  private readonly prefix: string;
  private readonly attributes;

  constructor(private readonly config: Config) {
    const { secureCookies: secure } = config;
    this.prefix = secure ? '__Host-' : '';
    this.attributes = { path: '/', httpOnly: true, secure, sameSite: 'lax' } as const;
  }

  /** Returns the value of the session's cookie, if it has the form of one. */
  session({ headers }: FastifyRequest): string | undefined {
    const value = this.read(headers.cookie, SESSION);
    return value !== undefined && VALUE.test(value) ? value : undefined;
  }

  /**
   * Gives the browser the value of its session.
   *
   * @param persistent whether the browser keeps the cookie when it closes
   */
  startSession(reply: FastifyReply, value: string, persistent: boolean): void {
    const { absolute } = this.config.sessions;
    this.write(reply, SESSION, value, persistent ? absolute : undefined);
  }

  /** Removes the session's cookie. */
  endSession(reply: FastifyReply): void {
    this.write(reply, SESSION, '', 0);
  }

  /** Gives a browser the cookie that binds a sign-in to it, unless it has one. */
  nameBrowser({ headers }: FastifyRequest, reply: FastifyReply): void {
    if (VALUE.test(this.read(headers.cookie, BROWSER_COOKIE) ?? '')) return;
    this.write(reply, BROWSER_COOKIE, newValue());
  }

  /** Returns a cookie by its name, as this class writes it; undefined if the browser sent none. */
  read(header: string | undefined, name: string): string | undefined {
    if (header === undefined) return undefined;
    return fastifyCookie.parse(header)[this.prefix + name];
  }

  /** Sets a cookie. Without `maxAge`, in seconds, the browser forgets it when it closes. */
  write(reply: FastifyReply, name: string, value: string, maxAge?: number): void {
    const cookie = fastifyCookie.serialize(this.prefix + name, value, {
      ...this.attributes,
      ...(maxAge !== undefined && { maxAge }),
    });
    const before = [reply.getHeader('set-cookie') ?? []].flat().map(String);
    void reply.removeHeader('set-cookie').header('set-cookie', [...before, cookie]);
  }
}

const SESSION = 'latchkey_session';

/** Returns a value for a cookie: 256 random bits. */
export const newValue = (): string => randomBytes(32).toString('base64url');
