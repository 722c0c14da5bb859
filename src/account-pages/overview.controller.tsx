import { Controller, Get, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AllowBeforeEnrolment } from '../auth/enrolment.js';
import { Navigation } from '../pages/navigation.js';
import { SignedInPages } from '../pages/page.decorators.js';
import { pageLanguage } from '../pages/page-language.js';
import { seeOther } from '../pages/see-other.js';
import { openSessionOf, SignedInDocuments } from '../pages/signed-in-documents.js';
import { OverviewPage } from './overview.page.js';
import { OVERVIEW_TEXTS } from './overview.texts.js';

/** The page to which a sign-in leads. */
@Controller('account')
@SignedInPages()
export class OverviewController {
  constructor(
    private readonly documents: SignedInDocuments,
    private readonly navigation: Navigation,
  ) {}

  @Get()
  show(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): string {
    const { user } = openSessionOf(request);
    const language = pageLanguage(request);
    const title = OVERVIEW_TEXTS[language].title(user.displayName ?? user.username);
    const page = <OverviewPage language={language} user={user} />;
    return this.documents.render(request, reply, { title }, page);
  }

  /** For a browser that opens the address of a form, which it shows after a refusal. */
  @Get([
    'confirm',
    'email/verification',
    'factors/:id/remove',
    'factors/app/confirm',
    'sessions/end',
    'sessions/end-others',
  ])
  @AllowBeforeEnrolment()
  start(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): string {
    return seeOther(reply, this.navigation.pageOf('POST', request.url));
  }
}
