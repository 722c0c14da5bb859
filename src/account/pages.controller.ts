import { Body, Controller, Get, Headers, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Addresses } from '../addresses/addresses.service.js';
import { ApiError } from '../common/api-error.js';
import { ClientSignal } from '../common/client-signal.js';
import { RateLimit } from '../throttling/rate-limit.guard.js';
import type { PageName } from './page-texts.js';
import { Pages, type PageState } from './pages.js';
import { type PageForm, pageFormSchema, pageQuerySchema } from './pages.schemas.js';
import { PasswordResetService } from './password-reset.service.js';

/** What a page does when its form is sent. */
type Action = (form: PageForm, signal: AbortSignal) => Promise<void>;

/** The pages that mailed links lead to. */
@ApiExcludeController()
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
      'confirm-email': ({ token }) => addresses.change({ token }),
      'undo-email-change': ({ token }) => addresses.undoChange({ token }),
      'reset-password': ({ token, password }, signal) =>
        resets.reset({ token }, password, { signal }),
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
  async submit(
    @Param('page') page: string,
    @Body({ schema: pageFormSchema }) form: PageForm,
    @Res({ passthrough: true }) reply: FastifyReply,
    @ClientSignal() signal: AbortSignal,
    @Headers('accept-language') accepted?: string,
  ): Promise<string> {
    const name = this.nameOf(page);
    let state: PageState = { step: 'done' };
    try {
      await this.actions[name](form, signal);
    } catch (error) {
      if (!(error instanceof ApiError) || (error.isFault && error.status !== 503)) throw error;
      void reply.status(error.status).headers(error.headers);
      if (error.code === 'link_invalid') state = { step: 'invalid' };
      else {
        const weak = error.code === 'weak_password' && { weak: error.message };
        state = { step: 'form', token: form.token, problem: weak || 'later' };
      }
    }
    return this.send(reply, name, state, accepted);
  }

  private send(reply: FastifyReply, name: PageName, state: PageState, accepted?: string): string {
    void reply.headers(this.pages.headers);
    return this.pages.render(name, state, accepted);
  }

  /** @throws ApiError not_found */
  private nameOf(page: string): PageName {
    if (!Object.hasOwn(this.actions, page)) throw new ApiError('not_found');
    return page as PageName;
  }
}
