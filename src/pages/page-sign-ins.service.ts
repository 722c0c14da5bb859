import { Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Tokens } from '../auth/auth.schemas.js';
import { BrowserSessionsService } from './browser-sessions.service.js';
import type { Wishes } from './form.schemas.js';
import { LastWay } from './last-way.js';
import { Navigation } from './navigation.js';
import { seeOther } from './see-other.js';

/** Signs browsers in after any way to sign in. */
@Injectable()
export class PageSignInsService {
  constructor(
    private readonly sessions: BrowserSessionsService,
    private readonly navigation: Navigation,
    private readonly lastWay: LastWay,
  ) {}

  /** Gives a browser the session of a sign-in, and leads it on. Returns the empty body. */
  async finish(
    request: FastifyRequest,
    reply: FastifyReply,
    tokens: Tokens,
    { remember, return_to: returnTo }: Wishes,
  ): Promise<string> {
    await this.sessions.open(request, reply, tokens, remember === 'on');
    this.lastWay.keep(request, reply);
    return seeOther(reply, this.navigation.returnPath(returnTo));
  }
}
