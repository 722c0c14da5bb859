import { Injectable } from '@nestjs/common';
import type { Texts } from './language.js';

/** Holds paths of pages of other rooms, which set them if those pages are on. */
@Injectable()
export class PageLinks {
  /** The page to sign in. */
  signIn?: { path: string; label: Texts<string> };
  /** The pages to ask for a mailed link again, by the purpose of the link. */
  readonly newLinks = new Map<string, string>();
}
