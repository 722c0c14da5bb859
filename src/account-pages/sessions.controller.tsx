import { Body, Controller, Get, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { CurrentRequest } from '../auth/decorators.js';
import type { OwnRequest } from '../auth/signed-in-user.service.js';
import { ApiError } from '../common/api-error.js';
import { PostForm, SignedInPages } from '../pages/page.decorators.js';
import { pageLanguage } from '../pages/page-language.js';
import { seeOther } from '../pages/see-other.js';
import { openSessionOf, SignedInDocuments } from '../pages/signed-in-documents.js';
import { SessionsService } from '../sessions/sessions.service.js';
import { PlacesService } from './places.service.js';
import { SessionsPage } from './sessions.page.js';
import { SESSIONS_TEXTS } from './sessions.texts.js';

const endSchema = z.object({ id: z.uuid() });

/** The page with the devices that are signed in. */
@Controller('account/sessions')
@SignedInPages()
export class SessionsController {
  constructor(
    private readonly sessions: SessionsService,
    private readonly places: PlacesService,
    private readonly documents: SignedInDocuments,
  ) {}

  @Get()
  async show(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const language = pageLanguage(request);
    const texts = SESSIONS_TEXTS[language];
    const { user, session } = openSessionOf(request);
    const sessions = await this.sessions.active(user.id);
    const addresses = sessions.map(({ address }) => address);
    const page = (
      <SessionsPage
        language={language}
        sessions={sessions}
        places={await this.places.of(addresses, language)}
        current={session.id}
      />
    );
    return this.documents.render(request, reply, texts, page);
  }

  @PostForm('end')
  async end(
    @CurrentRequest() { userId }: OwnRequest,
    @Body({ schema: endSchema }) { id }: z.infer<typeof endSchema>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const ended = await this.sessions.end({ userId, id }, 'ended_by_user');
    if (ended === 0) throw new ApiError('not_found');
    return seeOther(reply, '/account/sessions?done=ended');
  }

  @PostForm('end-others')
  async endOthers(
    @CurrentRequest() { userId, claims }: OwnRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    await this.sessions.end({ userId, except: claims.sid }, 'logout');
    return seeOther(reply, '/account/sessions?done=others-ended');
  }
}
