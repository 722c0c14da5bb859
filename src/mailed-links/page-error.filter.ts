import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import { ApiError } from '../common/api-error.js';
import { sendError } from '../common/api-error.filter.js';
import { replyOf, requestOf } from '../common/request-of.js';
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
    const { token } = pageFormSchema.parse(request.body);
    const weak = error.code === 'weak_password' && { weak: error.message };
    const state: PageState =
      error.code === 'link_invalid'
        ? { step: 'invalid' }
        : { step: 'form', token, problem: weak || 'later' };
    reply.status(error.status).headers({ ...error.headers, ...this.pages.headers });
    reply.send(this.pages.render(link, state, request.headers['accept-language']));
  }
}
