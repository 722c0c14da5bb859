import { applyDecorators, type CanActivate, Post, type Type, UseFilters } from '@nestjs/common';
import { GUARDS_METADATA } from '@nestjs/common/constants.js';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiExcludeController } from '../common/api-decorators.js';
import { Public } from '../common/public.js';
import { PageErrorFilter } from './page-error.filter.js';
import { PageSessionGuard } from './page-session.guard.js';
import { SameOriginGuard } from './same-origin.guard.js';

/**
 * Like `UseGuards` on a class, but its guards run before those of all other decorators of the class, such as
 * `@StepUp()`, in whichever order they stand. Those need the session of the browser.
 */
const GuardsFirst =
  (...guards: Type<CanActivate>[]): ClassDecorator =>
  (target) => {
    const others = (Reflect.getMetadata(GUARDS_METADATA, target) ?? []) as unknown[];
    Reflect.defineMetadata(GUARDS_METADATA, [...guards, ...others], target);
  };

/** For a controller of pages that need no session. Its forms are taken from our own pages only. */
export const PublicPages = (): ClassDecorator =>
  applyDecorators(
    Public(),
    ApiExcludeController(),
    GuardsFirst(SameOriginGuard),
    UseFilters(PageErrorFilter),
  );

/** For a controller of pages for signed-in users. A browser without a session is asked to sign in. */
export const SignedInPages = (): ClassDecorator =>
  applyDecorators(
    Public(),
    ApiExcludeController(),
    GuardsFirst(SameOriginGuard, PageSessionGuard),
    UseFilters(PageErrorFilter),
  );

/** A route that takes a form by POST. */
export const PostForm = (path: string): MethodDecorator =>
  applyDecorators(Post(path), RouteConfig({ form: PageErrorFilter }));
