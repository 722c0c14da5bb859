import { Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ComponentChildren } from 'preact';
import { ApiError } from '../common/api-error.js';
import { fieldsOf } from '../common/request-of.js';
import { Documents } from '../html/documents.js';
import { Alert, FormAccount } from '../html/fields.js';
import { failedForm, type FormState } from '../html/form-state.js';
import type { OpenSession } from './browser-sessions.service.js';
import { messageOf } from './message-of.js';
import { Navigation } from './navigation.js';
import { NavigationBar } from './navigation-bar.js';
import { pageLanguage } from './page-language.js';
import { PageViews } from './page-views.js';

/** The parts of a page for signed-in users beside its content. */
export interface SignedInFrame {
  title: string;
  /** The paths of modules for browsers. */
  scripts?: readonly string[];
  /** The messages about completed actions, by the names that a redirect puts into the query `done`. */
  done?: Readonly<Record<string, string>>;
  /** The page in the navigation that leads to this one, if this one's path is not below it. */
  from?: string;
}

/** Renders a page with the form of its last attempt. */
export type FormView = (
  request: FastifyRequest,
  reply: FastifyReply,
  form: FormState,
  error: ApiError,
) => string | Promise<string>;

/** Renders pages for signed-in users, with their navigation. */
@Injectable()
export class SignedInDocuments {
  constructor(
    private readonly documents: Documents,
    private readonly navigation: Navigation,
    private readonly views: PageViews,
  ) {}

  /** Returns a page as text, and sets its headers. */
  render(
    request: FastifyRequest,
    reply: FastifyReply,
    { title, scripts, done: messages = {}, from }: SignedInFrame,
    content: ComponentChildren,
  ): string {
    // A form that was refused has completed no action.
    const { done: name } = request.method === 'POST' ? {} : (request.query as { done?: unknown });
    const done = messageOf(messages, name);
    const language = pageLanguage(request);
    const { home } = this.navigation;
    const path = from === undefined ? (request.routeOptions.url ?? '') : `${from}/`;
    const nav = <NavigationBar language={language} navigation={this.navigation} path={path} />;
    return this.documents.render(
      reply,
      { language, title, scripts, nav, home },
      <FormAccount.Provider value={request.browserSession?.user.id}>
        {done !== undefined && <Alert kind="done">{done}</Alert>}
        {content}
      </FormAccount.Provider>,
    );
  }

  /**
   * Adds the view of a refused form, by the path of its route.
   *
   * @param fields other names of the form's fields; see `failedForm`
   */
  onFailure(path: string, view: FormView, fields?: Readonly<Record<string, string>>): void {
    this.views.onFailure(path, (request, reply, error) => {
      // A form from another site is refused before its session is looked up.
      if (!request.browserSession) return undefined;
      const form = failedForm(error, fieldsOf(request), pageLanguage(request), fields);
      return view(request, reply, form, error);
    });
  }
}

/** Returns the session of a request that `@SignedInPages()` let through. @throws ApiError unauthorized */
export function openSessionOf({ browserSession }: FastifyRequest): OpenSession {
  if (!browserSession) throw new ApiError('unauthorized');
  return browserSession;
}
