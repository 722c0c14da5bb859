import { createHmac, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Keyring } from '../keys/keyring.js';

/** What a refresh token says: the `generation`-th one of a session. */
export interface RefreshTokenContent {
  sessionId: string;
  generation: number;
  salt: string;
}

/**
 * Refresh tokens: `<session id>.<generation>.<salt>.<mac>`. The MAC (HMAC-SHA-256) is under a key
 * derived from the server's secret and the session's salt (HKDF, RFC 5869), so that a stolen
 * database forges none.
 */
@Injectable()
export class RefreshTokens {
  constructor(private readonly keyring: Keyring) {}

  /** The token of a session's generation; always the same one. */
  issue(content: RefreshTokenContent): string {
    return `${textOf(content)}.${this.mac(content).toString('base64url')}`;
  }

  /** What `token` says; undefined where it was not issued here. Asks no database. */
  read(token: string): RefreshTokenContent | undefined {
    const form = /^([0-9a-f-]{36})\.(0|[1-9]\d{0,8})\.([\w-]{22})\.([\w-]{43})$/;
    const [, sessionId, generation, salt, mac] = form.exec(token) ?? [];
    if (sessionId === undefined || salt === undefined || mac === undefined) return undefined;
    const content = { sessionId, generation: Number(generation), salt };
    const given = Buffer.from(mac, 'base64url');
    const canonical = given.toString('base64url') === mac;
    return canonical && timingSafeEqual(given, this.mac(content)) ? content : undefined;
  }

  private mac(content: RefreshTokenContent): Buffer {
    const key = this.keyring.derive('latchkey refresh token', content.salt);
    return createHmac('sha256', key).update(textOf(content)).digest();
  }
}

const textOf = ({ sessionId, generation, salt }: RefreshTokenContent): string =>
  `${sessionId}.${generation}.${salt}`;
