import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import { ApiError } from '../common/api-error.js';
import { sendError } from '../common/api-error.filter.js';
import { Pages, type PageState } from './pages.js';
import { pageFormSchema } from './pages.schemas.js';
import { replyOf, requestOf } from '../common/request-of.js';

/**
 * Shows a person why a page's form was refused, by the page's limit too, which stands before the
 * handler. Where there is no such page, and of a fault of ours, the answer is that of every route.
 */
@Catch(ApiError)
export class PageErrorFilter implements ExceptionFilter<ApiError> {
  constructor(private readonly pages: Pages) {}

  catch(error: ApiError, host: ArgumentsHost): void {
    const [request, reply] = [requestOf(host), replyOf(host)];
    const { page } = request.params as { page: string };
    if (!this.pages.has(page) || (error.isFault && error.status !== 503)) {
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
    reply.send(this.pages.render(page, state, request.headers['accept-language']));
  }
}
