import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ApiError, ApiErrorCode } from '../common/api-error.js';
import { logError, toApiError } from '../common/api-error.filter.js';
import { replyOf, requestOf } from '../common/request-of.js';
import { Documents } from '../html/documents.js';
import { Alert } from '../html/fields.js';
import { HTML_TEXTS } from '../html/html.texts.js';
import { PROBLEM_TEXTS } from '../html/problem.texts.js';
import { Navigation } from './navigation.js';
import { pageLanguage } from './page-language.js';
import { PageViews } from './page-views.js';
import { seeOther } from './see-other.js';

/** The errors of a form that was not read. Its page would lose what was typed; the back button does not. */
const UNREAD: ReadonlySet<string> = new Set<ApiErrorCode>([
  'body_too_large',
  'json_too_deep',
  'malformed_json',
  'missing_json',
]);

/**
 * Answers the errors of pages by pages: a refused form shows its problem, and a browser without a session gets
 * the page to sign in.
 */
@Catch()
export class PageErrorFilter implements ExceptionFilter {
  constructor(
    private readonly documents: Documents,
    private readonly views: PageViews,
    private readonly navigation: Navigation,
  ) {}

  async catch(exception: unknown, host: ArgumentsHost): Promise<void> {
    const [request, reply] = [requestOf(host), replyOf(host)];
    const error = toApiError(exception);
    logError(error, exception, request);
    if (reply.sent) return;
    try {
      reply.send(await this.answer(request, reply, error));
    } catch (failure) {
      // The page may have gone in the meantime, or the database may be away.
      const other = toApiError(failure);
      logError(other, failure, request);
      reply.status(other.status).headers(other.headers);
      reply.send(this.errorPage(request, reply, other));
    }
  }

  private async answer(
    request: FastifyRequest,
    reply: FastifyReply,
    error: ApiError,
  ): Promise<string> {
    if (error.code === 'unauthorized' || error.code === 'token_revoked') {
      const page = this.navigation.pageOf(request.method, request.url);
      return seeOther(reply, `/sign-in?return_to=${encodeURIComponent(page)}`);
    }
    void reply.status(error.status).headers(error.headers);
    const isShown = error.status !== 500 && !UNREAD.has(error.code);
    const view =
      this.views.find(error.code) ??
      (isShown ? this.views.find(request.routeOptions.url) : undefined);
    return (await view?.(request, reply, error)) ?? this.errorPage(request, reply, error);
  }

  private errorPage(request: FastifyRequest, reply: FastifyReply, error: ApiError): string {
    const language = pageLanguage(request);
    const texts = HTML_TEXTS[language];
    return this.documents.render(
      reply,
      { language, title: texts.errorTitle },
      <>
        <Alert kind="problem">{PROBLEM_TEXTS[language].of(error)}</Alert>
        <p>
          <a href="/">{texts.home}</a>
        </p>
      </>,
    );
  }
}
