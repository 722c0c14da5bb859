import { createHmac, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Keyring } from '../keys/keyring.js';

/** For so many seconds a used refresh token returns its successor again, for two tabs that refresh at once. */
export const REUSE_WINDOW = 30;

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
    const key = this.keyring.derive(PURPOSE, content.salt);
    return `${textOf(content)}.${macOf(content, key).toString('base64url')}`;
  }

  /** What `token` says; undefined where it was not issued here. Asks no database. */
  read(token: string): RefreshTokenContent | undefined {
    const form = /^([0-9a-f-]{36})\.(0|[1-9]\d{0,8})\.([\w-]{22})\.([\w-]{43})$/;
    const [, sessionId, generation, salt, mac] = form.exec(token) ?? [];
    if (sessionId === undefined || salt === undefined || mac === undefined) return undefined;
    const content = { sessionId, generation: Number(generation), salt };
    const given = Buffer.from(mac, 'base64url');
    if (given.toString('base64url') !== mac) return undefined;
    // Issued before a rotation, it is good under a secret that is still accepted.
    const keys = this.keyring.deriveAll(PURPOSE, salt);
    return keys.some((key) => timingSafeEqual(given, macOf(content, key))) ? content : undefined;
  }
}

const PURPOSE = 'latchkey refresh token';

const macOf = (content: RefreshTokenContent, key: Buffer): Buffer =>
  createHmac('sha256', key).update(textOf(content)).digest();

const textOf = ({ sessionId, generation, salt }: RefreshTokenContent): string =>
  `${sessionId}.${generation}.${salt}`;
