import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { fieldsOf } from '../common/request-of.js';
import type { Texts } from '../html/language.js';
import { type Wishes, wishesSchema } from './form.schemas.js';

/** A page in the navigation of signed-in users. */
export interface NavigationEntry {
  path: string;
  label: Texts<string>;
}

/** The longest address that a sign-in leads back to. */
const LONGEST = 500;

/** The registry of the pages for signed-in users. Each room adds its own; the first one is the start page. */
@Injectable()
export class Navigation {
  readonly entries: NavigationEntry[] = [];

  add(...entries: NavigationEntry[]): void {
    this.entries.push(...entries);
  }

  /** The page that a sign-in leads to. */
  get home(): string {
    return this.entries[0]?.path ?? '/';
  }

  /** Returns the entry of a page: its own, or that of a page above it, the nearest one. */
  entryOf(path: string): NavigationEntry | undefined {
    return this.entries
      .filter((entry) => path === entry.path || path.startsWith(`${entry.path}/`))
      .sort((one, other) => other.path.length - one.path.length)[0];
  }

  /** Returns the page to come back to after a request. The path of a form may have no page of its own. */
  pageOf(method: unknown, url: unknown): string {
    const isPage = method === 'GET' || method === 'HEAD';
    return this.returnPath(isPage ? url : this.entryOf(String(url))?.path);
  }

  /**
   * Returns the page that a sign-in leads back to: `wanted`, if it is the path of a page for signed-in users, and
   * else the start page. No other site can be reached by it, however the address is written.
   */
  returnPath(wanted: unknown): string {
    if (typeof wanted !== 'string' || wanted.length > LONGEST) return this.home;
    // No `\`, `%`, `:` or second `/` at the start: browsers would read them as the name of another site.
    const [, path = ''] = /^((?:\/[\w-]+)+)(?:\?[\w=&-]*)?$/.exec(wanted) ?? [];
    return this.entryOf(path) ? wanted : this.home;
  }

  /** Returns the wishes in a form, or in the address of a page. They lead back to pages for signed-in users alone. */
  wishesOf(request: FastifyRequest): Wishes & { return_to: string } {
    const given = request.method === 'POST' ? fieldsOf(request) : request.query;
    const { remember, return_to: wanted } = wishesSchema.parse(given);
    return { remember, return_to: this.returnPath(wanted) };
  }

  /** Returns the address of a page that carries the wishes on. */
  withWishes(
    path: string,
    { remember, return_to: returnTo = this.home }: Wishes,
    query: Record<string, string> = {},
  ): string {
    const whole = new URLSearchParams({
      ...query,
      ...(returnTo !== this.home && { return_to: returnTo }),
      ...(remember && { remember }),
    });
    return whole.size > 0 ? `${path}?${whole}` : path;
  }
}
