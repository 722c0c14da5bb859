import { randomBytes, randomUUID } from 'node:crypto';
import { isIP } from 'node:net';
import { Injectable } from '@nestjs/common';
import { Config } from '../config/config.js';
import { Database } from '../database/database.js';
import { RefreshTokens } from './refresh-token.js';
import { Session } from './session.entity.js';

/** Where a sign-in comes from. */
export interface Origin {
  address: string;
  userAgent: string;
}

/** Signed-in devices. */
@Injectable()
export class SessionsService {
  constructor(
    private readonly config: Config,
    private readonly database: Database,
    private readonly refreshTokens: RefreshTokens,
  ) {}

  /** Starts a session of a user; stored when the promise resolves. */
  async start(
    userId: string,
    { address, userAgent }: Origin,
  ): Promise<{ id: string; refreshToken: string }> {
    const now = new Date();
    const { idle, absolute } = this.config.sessions;
    const id = randomUUID();
    const salt = randomBytes(16).toString('base64url');
    await this.database.write((manager) =>
      manager.insert(Session, {
        id,
        userId,
        createdAt: now,
        lastUsedAt: now,
        expiresAt: new Date(now.getTime() + Math.min(idle, absolute) * 1000),
        userAgent: storable(userAgent),
        // Behind a proxy that passes on what it is told, this may be no address at all.
        address: isIP(address) ? address : '',
        refreshGeneration: 0,
        refreshedAt: now,
        salt,
      }),
    );
    return { id, refreshToken: this.refreshTokens.issue({ sessionId: id, generation: 0 }, salt) };
  }
}

/** A header's value as both databases can store it: PostgreSQL has no NUL, the column a width. */
function storable(text: string): string {
  return text.replaceAll('\0', '').toWellFormed().slice(0, 512).toWellFormed();
}
