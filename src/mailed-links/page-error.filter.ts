import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import { logError, sendError, toApiError } from '../common/api-error.filter.js';
import { replyOf, requestOf } from '../common/request-of.js';
import { failedForm } from '../html/form-state.js';
import { languageOf } from '../html/language.js';
import { Pages, type PageState } from './pages.js';
import { pageFormSchema } from './pages.schemas.js';

/**
 * Shows on the page why it or its form was refused, also if the page's rate limit refused it before the handler. A
 * page that does not exist gets the answer of every other route.
 */
@Catch()
export class PageErrorFilter implements ExceptionFilter {
  constructor(private readonly pages: Pages) {}

  catch(exception: unknown, host: ArgumentsHost): void {
    const [request, reply] = [requestOf(host), replyOf(host)];
    const { page } = request.params as { page: string };
    const link = this.pages.find(page);
    if (!link) {
      sendError(exception, request, reply);
      return;
    }
    const error = toApiError(exception);
    logError(error, exception, request);
    if (reply.sent) return;
    const accepted = request.headers['accept-language'];
    const sent = pageFormSchema.parse(request.method === 'POST' ? request.body : request.query);
    const fields = { new_password: 'password' };
    const form = failedForm(error, sent, languageOf(accepted), fields);
    const state: PageState =
      error.code === 'link_invalid'
        ? { step: 'invalid' }
        : { step: 'form', token: sent.token, form };
    void reply.status(error.status).headers(error.headers);
    reply.send(this.pages.render(reply, link, state, accepted));
  }
}
