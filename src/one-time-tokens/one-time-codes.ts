import { createHmac, randomInt, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Keyring } from '../keys/keyring.js';

const PURPOSE = 'latchkey one-time code';

/**
 * Eight digits that may be typed instead of following a link. So few are found in no time by who has
 * their hash, so what is stored is a MAC (HMAC-SHA-256) under a key that is not in the database,
 * derived for the one token that the code stands for.
 */
@Injectable()
export class OneTimeCodes {
  constructor(private readonly keyring: Keyring) {}

  /** A new code for the token with this hash, and what is stored of it. */
  make(tokenHash: string): { code: string; mac: string } {
    const code = randomInt(100_000_000).toString().padStart(8, '0');
    const key = this.keyring.derive(PURPOSE, tokenHash);
    return { code, mac: macOf(key, code).toString('base64url') };
  }

  /** Whether `typed`, with blanks and hyphens or without, is the code that `mac` was made of. */
  matches(typed: string, tokenHash: string, mac: string): boolean {
    const code = typed.replaceAll(/[\s-]/g, '');
    const right = Buffer.from(mac, 'base64url');
    return this.keyring
      .deriveAll(PURPOSE, tokenHash)
      .map((key) => macOf(key, code))
      .some((given) => given.length === right.length && timingSafeEqual(given, right));
  }
}

const macOf = (key: Buffer, code: string): Buffer =>
  createHmac('sha256', key).update(code).digest();
