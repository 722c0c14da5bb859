import { createHmac, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Keyring } from '../keys/keyring.js';

/**
 * For this time a used refresh token returns its successor again, for two tabs that refresh at once; in
 * seconds.
 */
export const REUSE_WINDOW = 30;

/** The content of a refresh token: the `generation`-th one of a session. */
export interface RefreshTokenContent {
  sessionId: string;
  generation: number;
  salt: string;
}

/**
 * Issues and reads refresh tokens: `<session id>.<generation>.<salt>.<mac>`. The key of the MAC
 * (HMAC-SHA-256) is derived from the server's secret and the session's salt (HKDF, RFC 5869), so a thief of
 * the database cannot forge one.
 */
@Injectable()
export class RefreshTokens {
  constructor(private readonly keyring: Keyring) {}

  /** Returns the token of a session's generation, which is always the same. */
  issue(content: RefreshTokenContent): string {
    const key = this.keyring.derive(PURPOSE, content.salt);
    return `${textOf(content)}.${macOf(content, key).toString('base64url')}`;
  }

  /** Returns the content of `token`; undefined if this server did not issue it. Needs no database. */
  read(token: string): RefreshTokenContent | undefined {
    const form = /^([0-9a-f-]{36})\.(0|[1-9]\d{0,8})\.([\w-]{22})\.([\w-]{43})$/;
    const [, sessionId, generation, salt, mac] = form.exec(token) ?? [];
    if (sessionId === undefined || salt === undefined || mac === undefined) return undefined;
    const content = { sessionId, generation: Number(generation), salt };
    const given = Buffer.from(mac, 'base64url');
    if (given.toString('base64url') !== mac) return undefined;
    // A token from before a rotation is good under a secret that is still accepted.
    const keys = this.keyring.deriveAll(PURPOSE, salt);
    return keys.some((key) => timingSafeEqual(given, macOf(content, key))) ? content : undefined;
  }
}

const PURPOSE = 'latchkey refresh token';

const macOf = (content: RefreshTokenContent, key: Buffer): Buffer =>
  createHmac('sha256', key).update(textOf(content)).digest();

const textOf = ({ sessionId, generation, salt }: RefreshTokenContent): string =>
  `${sessionId}.${generation}.${salt}`;
