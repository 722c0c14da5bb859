import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Repository } from 'typeorm';
import type { Tokens } from '../auth/auth.schemas.js';
import { ApiError } from '../common/api-error.js';
import { clock } from '../common/clock.js';
import { sha256 } from '../common/digest.js';
import { Database, violatesForeignKey } from '../database/database.js';
import { readPayload } from '../keys/compact-jws.js';
import type { Session } from '../sessions/session.entity.js';
import { SessionsService } from '../sessions/sessions.service.js';
import { isDisabled, type User } from '../users/user.entity.js';
import { UsersService } from '../users/users.service.js';
import { BrowserSession } from './browser-session.entity.js';
import { newValue, PageCookies } from './page-cookies.js';

/** The session of a browser, and its user. */
export interface OpenSession {
  user: User;
  session: Session;
  persistent: boolean;
  tokenHash: string;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** The session of the browser, on a page that looks for one. */
    browserSession?: OpenSession;
  }
}

/** Keeps browsers signed in on the pages. The cookie's value is opaque, and only its hash is stored. */
@Injectable()
export class BrowserSessionsService {
  constructor(
    @InjectRepository(BrowserSession) private readonly rows: Repository<BrowserSession>,
    private readonly database: Database,
    private readonly users: UsersService,
    private readonly sessions: SessionsService,
    private readonly cookies: PageCookies,
  ) {}

  /**
   * Gives a browser the session of a sign-in. The session that the browser had before ends, so a cookie that a
   * stranger has set is worth nothing (session fixation).
   *
   * @param persistent whether the browser keeps the session when it closes
   * @throws ApiError unauthorized if the session's user was deleted meanwhile
   */
  async open(
    request: FastifyRequest,
    reply: FastifyReply,
    { jwt }: Pick<Tokens, 'jwt'>,
    persistent: boolean,
  ): Promise<void> {
    const before = await this.find(request);
    const { sid: sessionId } = readPayload(jwt) as { sid: string };
    const value = newValue();
    const row = { tokenHash: sha256(value), sessionId, persistent };
    try {
      await this.database.write((manager) => manager.insert(BrowserSession, row));
    } catch (error) {
      if (violatesForeignKey(error)) throw new ApiError('unauthorized');
      throw error;
    }
    this.cookies.startSession(reply, value, persistent);
    if (before) await this.end(before);
  }

  /**
   * Gives the browser a new value for its session, because the session is worth more now. Of several requests at
   * once, one does: the browser keeps the value of the last answer, whichever that is.
   */
  async renew(reply: FastifyReply, { tokenHash, persistent }: OpenSession): Promise<void> {
    const value = newValue();
    const { affected } = await this.database.write((manager) =>
      manager.update(BrowserSession, { tokenHash }, { tokenHash: sha256(value) }),
    );
    if (affected === 1) this.cookies.startSession(reply, value, persistent);
  }

  /** Returns the living session of the browser that sent a request, and marks it as used. */
  async find(request: FastifyRequest): Promise<OpenSession | undefined> {
    const value = this.cookies.session(request);
    if (value === undefined) return undefined;
    const tokenHash = sha256(value);
    const row = await this.rows.findOne({ where: { tokenHash }, relations: { session: true } });
    if (!row?.session || row.session.endedAt || row.session.expiresAt <= clock.date()) {
      return undefined;
    }
    const user = await this.users.findById(row.session.userId);
    if (!user || isDisabled(user)) return undefined;
    await this.sessions.keepAlive(row.session);
    return { user, session: row.session, persistent: row.persistent, tokenHash };
  }

  /** Ends the session of a browser, and removes its cookie. */
  async close(reply: FastifyReply, open: OpenSession | undefined): Promise<void> {
    if (open) await this.end(open);
    this.cookies.endSession(reply);
  }

  private async end({ session: { id, userId } }: OpenSession): Promise<void> {
    await this.sessions.end({ id, userId }, 'logout');
  }
}
