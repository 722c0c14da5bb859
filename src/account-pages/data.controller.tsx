import { Body, Controller, Get, HttpCode, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { EXPORT_LIMIT } from '../account/account.limits.js';
import { AccountService } from '../account/account.service.js';
import { CurrentRequest } from '../auth/decorators.js';
import type { OwnRequest } from '../auth/signed-in-user.service.js';
import { ApiError } from '../common/api-error.js';
import { requiredText } from '../common/validation.js';
import { type FormState, freshForm } from '../html/form-state.js';
import { BrowserSessionsService } from '../pages/browser-sessions.service.js';
import { PostForm, SignedInPages } from '../pages/page.decorators.js';
import { pageLanguage } from '../pages/page-language.js';
import { seeOther } from '../pages/see-other.js';
import { openSessionOf, SignedInDocuments } from '../pages/signed-in-documents.js';
import { RateLimit } from '../throttling/rate-limit.guard.js';
import { DataPage, DeletePage } from './data.page.js';
import { DATA_TEXTS } from './data.texts.js';

const deleteSchema = z.object({ typed_name: requiredText('typed_name') });

/** The pages to download the data of the account, and to delete it. */
@Controller('account')
@SignedInPages()
export class DataController {
  constructor(
    private readonly account: AccountService,
    private readonly sessions: BrowserSessionsService,
    private readonly documents: SignedInDocuments,
  ) {
    documents.onFailure('/account/data', (request, reply, form) =>
      this.renderData(request, reply, form),
    );
    documents.onFailure('/account/delete', (request, reply, form) =>
      this.renderDelete(request, reply, form),
    );
  }

  @Get('data')
  show(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): string {
    return this.renderData(request, reply, freshForm());
  }

  @PostForm('data')
  @HttpCode(200)
  @RateLimit(EXPORT_LIMIT)
  async export(
    @CurrentRequest() own: OwnRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Record<string, unknown>> {
    const document = await this.account.export(own);
    void reply.header('content-disposition', 'attachment; filename="account.json"');
    return document;
  }

  @Get('delete')
  showDelete(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): string {
    return this.renderDelete(request, reply, freshForm());
  }

  @PostForm('delete')
  async delete(
    @CurrentRequest() own: OwnRequest,
    @Body({ schema: deleteSchema }) { typed_name: typed }: z.infer<typeof deleteSchema>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const { username } = openSessionOf(request).user;
    if (typed.normalize() !== username.normalize()) {
      throw new ApiError('invalid_parameter', { field: 'typed_name' });
    }
    await this.account.delete(own, {});
    await this.sessions.close(reply, undefined);
    return seeOther(reply, '/sign-in?done=deleted');
  }

  private renderData(request: FastifyRequest, reply: FastifyReply, form: FormState): string {
    const language = pageLanguage(request);
    const { title } = DATA_TEXTS[language];
    const page = <DataPage language={language} problem={form.problem} />;
    return this.documents.render(request, reply, { title }, page);
  }

  private renderDelete(request: FastifyRequest, reply: FastifyReply, form: FormState): string {
    const language = pageLanguage(request);
    const texts = DATA_TEXTS[language].delete;
    const { username } = openSessionOf(request).user;
    const differs = form.values.typed_name && form.problems.typed_name;
    const problems = differs ? { typed_name: texts.differs } : form.problems;
    const page = (
      <DeletePage language={language} form={{ ...form, problems }} username={username} />
    );
    const frame = { title: texts.title, from: '/account/data' };
    return this.documents.render(request, reply, frame, page);
  }
}
