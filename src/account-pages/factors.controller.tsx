import { Body, Controller, Get, HttpCode, Param, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CurrentRequest } from '../auth/decorators.js';
import { AllowBeforeEnrolment } from '../auth/enrolment.js';
import type { OwnRequest } from '../auth/signed-in-user.service.js';
import { StepUp } from '../auth/step-up.guard.js';
import { ApiError } from '../common/api-error.js';
import { FACTORS_LIMIT, RECOVERY_CODES_LIMIT } from '../factors/factors.limits.js';
import { type RenameBody, renameSchema } from '../factors/factors.schemas.js';
import { FactorsService } from '../factors/factors.service.js';
import { freshForm } from '../html/form-state.js';
import { PostForm, SignedInPages } from '../pages/page.decorators.js';
import { pageLanguage } from '../pages/page-language.js';
import { seeOther } from '../pages/see-other.js';
import { openSessionOf, SignedInDocuments } from '../pages/signed-in-documents.js';
import { RateLimit } from '../throttling/rate-limit.guard.js';
import { FactorDocuments } from './factor-documents.js';
import { FactorPage } from './factor.page.js';

/** The pages with the user's factors: the list, one factor, and new recovery codes. */
@Controller('account/factors')
@SignedInPages()
@AllowBeforeEnrolment()
export class FactorsController {
  constructor(
    private readonly factors: FactorsService,
    private readonly pages: FactorDocuments,
    private readonly documents: SignedInDocuments,
  ) {
    documents.onFailure('/account/factors/recovery-codes', (request, reply, form) =>
      pages.list(request, reply, form),
    );
    for (const path of ['/account/factors/:id', '/account/factors/:id/remove']) {
      documents.onFailure(path, (request, reply, form, { code }) => {
        const { id } = request.params as { id: string };
        if (code === 'not_found') return pages.list(request, reply, form);
        return this.render(request, reply, id, form);
      });
    }
  }

  @Get()
  list(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    return this.pages.list(request, reply);
  }

  @Get(':id')
  show(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Param('id') id: string,
  ): Promise<string> {
    return this.render(request, reply, id);
  }

  @PostForm(':id')
  @StepUp()
  @RateLimit(FACTORS_LIMIT)
  async rename(
    @CurrentRequest() own: OwnRequest,
    @Param('id') id: string,
    @Body({ schema: renameSchema }) { name }: RenameBody,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    await this.factors.renameOwn(own, id, name);
    return seeOther(reply, '/account/factors?done=renamed');
  }

  @PostForm(':id/remove')
  @StepUp()
  @RateLimit(FACTORS_LIMIT)
  async remove(
    @CurrentRequest() own: OwnRequest,
    @Param('id') id: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    await this.factors.removeOwn(own, id);
    return seeOther(reply, '/account/factors?done=removed');
  }

  @PostForm('recovery-codes')
  @HttpCode(200)
  @StepUp()
  @RateLimit(RECOVERY_CODES_LIMIT)
  async renewRecoveryCodes(
    @CurrentRequest() own: OwnRequest,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const codes = await this.factors.renewRecoveryCodes(own);
    return this.pages.recoveryCodes(request, reply, codes);
  }

  /** The page of one factor. @throws ApiError not_found */
  private async render(
    request: FastifyRequest,
    reply: FastifyReply,
    id: string,
    form = freshForm(),
  ): Promise<string> {
    const { factors } = await this.factors.list(openSessionOf(request).user.id);
    const factor = factors.find((one) => one.id === id);
    if (!factor) throw new ApiError('not_found');
    const language = pageLanguage(request);
    const page = (
      <FactorPage
        language={language}
        form={{ ...form, values: { name: factor.name, ...form.values } }}
        factor={factor}
      />
    );
    return this.documents.render(request, reply, { title: factor.name }, page);
  }
}
