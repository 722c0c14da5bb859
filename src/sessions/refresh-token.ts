import { createHmac } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Keyring } from '../keys/keyring.js';

/** What a refresh token says. */
export interface RefreshTokenContent {
  sessionId: string;
  generation: number;
}

/**
 * Refresh tokens: `<session id>.<generation>.<salt>.<mac>`. The MAC (HMAC-SHA-256) is under a key
 * derived from the server's secret and the session's salt (HKDF, RFC 5869), so that a stolen
 * database forges none.
 */
@Injectable()
export class RefreshTokens {
  constructor(private readonly keyring: Keyring) {}

  /** The refresh token of `generation` of a session; always the same one. */
  issue({ sessionId, generation }: RefreshTokenContent, salt: string): string {
    const content = `${sessionId}.${generation}.${salt}`;
    const key = this.keyring.derive('latchkey refresh token', salt);
    return `${content}.${createHmac('sha256', key).update(content).digest('base64url')}`;
  }
}
