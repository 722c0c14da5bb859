import { Injectable } from '@nestjs/common';
import type { Texts } from './language.js';

/** Holds the link to the page to sign in, for pages that end there. The room of that page sets it, if it is on. */
@Injectable()
export class SignInLink {
  link?: { path: string; label: Texts<string> };
}
