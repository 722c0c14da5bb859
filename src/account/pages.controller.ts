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
import { ApiExcludeController } from '../common/api-decorators.js';
import type { FastifyReply } from 'fastify';
import { Addresses, type Asking } from '../addresses/addresses.service.js';
import { ApiError } from '../common/api-error.js';
import { ClientSignal } from '../common/client-signal.js';
import { Public } from '../common/public.js';
import { RateLimit } from '../throttling/rate-limit.guard.js';
import { PageErrorFilter } from './page-error.filter.js';
import type { PageName } from './page-texts.js';
import { Pages, type PageState } from './pages.js';
import { type PageForm, pageFormSchema, pageQuerySchema } from './pages.schemas.js';
import { PasswordResetService } from './password-reset.service.js';

/** What a page does when its form is sent. */
type Action = (form: PageForm, asking: Asking) => Promise<void>;

/** The pages that mailed links lead to. */
@ApiExcludeController()
@Public()
@Controller('account')
export class PagesController {
  private readonly actions: Record<PageName, Action>;

  constructor(
    private readonly pages: Pages,
    addresses: Addresses,
    resets: PasswordResetService,
  ) {
    this.actions = {
      'verify-email': ({ token }) => addresses.verify({ token }),
      'confirm-email': ({ token }, { locale }) => addresses.change({ token }, locale),
      'undo-email-change': ({ token }, asking) => addresses.undoChange({ token }, asking),
      'reset-password': ({ token, password }, asking) => resets.reset({ token }, password, asking),
    };
  }

  @Get(':page')
  show(
    @Param('page') page: string,
    @Query({ schema: pageQuerySchema }) { token }: { token: string },
    @Res({ passthrough: true }) reply: FastifyReply,
    @Headers('accept-language') accepted?: string,
  ): string {
    const name = this.nameOf(page);
    const state: PageState = token === '' ? { step: 'invalid' } : { step: 'form', token };
    return this.send(reply, name, state, accepted);
  }

  @Post(':page')
  @HttpCode(200)
  @RateLimit('login')
  @RouteConfig({ form: true })
  @UseFilters(PageErrorFilter)
  async submit(
    @Param('page') page: string,
    @Body({ schema: pageFormSchema }) form: PageForm,
    @Res({ passthrough: true }) reply: FastifyReply,
    @ClientSignal() signal: AbortSignal,
    @Headers('accept-language') accepted?: string,
  ): Promise<string> {
    const name = this.nameOf(page);
    await this.actions[name](form, { signal, locale: accepted });
    return this.send(reply, name, { step: 'done' }, accepted);
  }

  private send(reply: FastifyReply, name: PageName, state: PageState, accepted?: string): string {
    void reply.headers(this.pages.headers);
    return this.pages.render(name, state, accepted);
  }

  /** @throws ApiError not_found */
  private nameOf(page: string): PageName {
    if (!this.pages.has(page)) throw new ApiError('not_found');
    return page;
  }
}
