import { Injectable } from '@nestjs/common';
import type { Texts } from '../html/language.js';

/** A way to sign in that has a page or a route of its own. */
export interface SignInWay {
  /** Letters and hyphens; kept in the cookie of the way last used. */
  name: string;
  /** The path that the button leads to. It gets the queries `return_to` and `remember`. */
  path: string;
  /** The route that proves the first factor, such as `/sign-in/mail/verify`. */
  route: string;
  label: Texts<string>;
}

/** The registry of the ways to sign in beside a password and passkeys. `/sign-in` has a button for each. */
@Injectable()
export class SignInWays {
  readonly all: SignInWay[] = [];

  add(way: SignInWay): void {
    this.all.push(way);
  }
}
