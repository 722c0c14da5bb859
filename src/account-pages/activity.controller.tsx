import { Controller, Get, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { eventForUser } from '../audit/audit-export.js';
import { AuditLog } from '../audit/audit-log.js';
import { readTimeCursor, timePositionOf, writeCursor } from '../common/list-cursor.js';
import { storableText } from '../common/validation.js';
import { SignedInPages } from '../pages/page.decorators.js';
import { pageLanguage } from '../pages/page-language.js';
import { openSessionOf, SignedInDocuments } from '../pages/signed-in-documents.js';
import { ActivityPage } from './activity.page.js';
import { ACTIVITY_TEXTS } from './activity.texts.js';

/** The rows of one page. */
const LENGTH = 25;

const querySchema = z.object({ cursor: storableText('cursor', 2048).optional() });

/** The page with the events of the audit that concern the user, the newest first. */
@Controller('account/activity')
@SignedInPages()
export class ActivityController {
  constructor(
    private readonly log: AuditLog,
    private readonly documents: SignedInDocuments,
  ) {}

  @Get()
  async show(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Query({ schema: querySchema }) { cursor }: z.infer<typeof querySchema>,
  ): Promise<string> {
    const { id: subject } = openSessionOf(request).user;
    const position = cursor === undefined ? undefined : readTimeCursor(cursor);
    // One more than is shown tells whether there is another page.
    const rows = await this.log.page({ subject }, LENGTH + 1, position);
    const last = rows.length > LENGTH ? rows[LENGTH - 1] : undefined;
    const language = pageLanguage(request);
    const page = (
      <ActivityPage
        language={language}
        events={rows.slice(0, LENGTH).map((row) => eventForUser(row, subject))}
        isFirst={cursor === undefined}
        next={last && writeCursor(timePositionOf(last))}
      />
    );
    return this.documents.render(request, reply, { title: ACTIVITY_TEXTS[language].title }, page);
  }
}
