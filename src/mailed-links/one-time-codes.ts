import { createHmac, randomInt, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Keyring } from '../keys/keyring.js';

const PURPOSE = 'latchkey one-time code';

/**
 * Makes and checks the eight digits that a user may type instead of following a link. A thief of the database
 * could guess so few digits from a plain hash. So the database holds an HMAC-SHA-256 under a key that is derived
 * from the server's secret for each token.
 */
@Injectable()
export class OneTimeCodes {
  constructor(private readonly keyring: Keyring) {}

  /** Returns a new code for the token with this hash, and the MAC that is stored. */
  make(tokenHash: string): { code: string; mac: string } {
    const code = randomInt(100_000_000).toString().padStart(8, '0');
    const key = this.keyring.derive(PURPOSE, tokenHash);
    return { code, mac: macOf(key, code).toString('base64url') };
  }

  /** Whether `typed`, with or without spaces and hyphens, is the code of this MAC. */
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
