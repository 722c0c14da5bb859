import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import { ApiError } from '../common/api-error.js';
import { sendError } from '../common/api-error.filter.js';
import { replyOf, requestOf } from '../common/request-of.js';
import { failedForm } from '../html/form-state.js';
import { languageOf } from '../html/language.js';
import { Pages, type PageState } from './pages.js';
import { pageFormSchema } from './pages.schemas.js';

/**
 * Shows on the page why its form was refused, also if the page's rate limit refused it before the handler. A
 * page that does not exist, and an error of the server, get the answer of every other route.
 */
@Catch(ApiError)
export class PageErrorFilter implements ExceptionFilter<ApiError> {
  constructor(private readonly pages: Pages) {}

  catch(error: ApiError, host: ArgumentsHost): void {
    const [request, reply] = [requestOf(host), replyOf(host)];
    const { page } = request.params as { page: string };
    const link = this.pages.find(page);
    if (!link || (error.isFault && error.status !== 503)) {
      sendError(error, request, reply);
      return;
    }
    const accepted = request.headers['accept-language'];
    const sent = pageFormSchema.parse(request.body);
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
