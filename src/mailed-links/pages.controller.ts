import {
  Body,
  Controller,
  Get,
  Headers,
  HttpCode,
  Param,
  Post,
  Query,
  Res,
  UseFilters,
} from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyReply } from 'fastify';
import { ApiExcludeController } from '../common/api-decorators.js';
import { ApiError } from '../common/api-error.js';
import { ClientSignal } from '../common/client-signal.js';
import { Public } from '../common/public.js';
import { RateLimit } from '../throttling/rate-limit.guard.js';
import type { MailedLinkDeclaration } from './declaration.js';
import { PageErrorFilter } from './page-error.filter.js';
import { Pages } from './pages.js';
import { type PageFormBody, pageFormSchema, pageQuerySchema } from './pages.schemas.js';

/** The pages that mailed links lead to. */
@ApiExcludeController()
@Public()
@UseFilters(PageErrorFilter)
@Controller('account')
export class PagesController {
  constructor(private readonly pages: Pages) {}

  @Get(':page')
  async show(
    @Param('page') page: string,
    @Query({ schema: pageQuerySchema }) { token }: { token: string },
    @Res({ passthrough: true }) reply: FastifyReply,
    @Headers('accept-language') accepted?: string,
  ): Promise<string> {
    const link = this.linkOf(page);
    return this.pages.render(reply, link, await this.pages.open(link, token), accepted);
  }

  @Post(':page')
  @HttpCode(200)
  @RateLimit('login')
  @RouteConfig({ form: PageErrorFilter })
  async submit(
    @Param('page') page: string,
    @Body({ schema: pageFormSchema }) { token, password }: PageFormBody,
    @Res({ passthrough: true }) reply: FastifyReply,
    @ClientSignal() signal: AbortSignal,
    @Headers('accept-language') accepted?: string,
  ): Promise<string> {
    const link = this.linkOf(page);
    const sent = { token, password, locale: accepted, signal };
    await link.redeem?.(sent);
    const details = await link.show?.(sent);
    return this.pages.render(reply, link, { step: 'done', details }, accepted);
  }

  /** @throws ApiError not_found */
  private linkOf(page: string): MailedLinkDeclaration {
    const link = this.pages.find(page);
    if (!link) throw new ApiError('not_found');
    return link;
  }
}
