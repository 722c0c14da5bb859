import { applyDecorators, Post, UseFilters, UseGuards } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiExcludeController } from '../common/api-decorators.js';
import { Public } from '../common/public.js';
import { PageErrorFilter } from './page-error.filter.js';
import { PageSessionGuard } from './page-session.guard.js';
import { SameOriginGuard } from './same-origin.guard.js';

/** For a controller of pages that need no session. Its forms are taken from our own pages only. */
export const PublicPages = (): ClassDecorator =>
  applyDecorators(
    Public(),
    ApiExcludeController(),
    UseGuards(SameOriginGuard),
    UseFilters(PageErrorFilter),
  );

/** For a controller of pages for signed-in users. A browser without a session is asked to sign in. */
export const SignedInPages = (): ClassDecorator =>
  applyDecorators(
    Public(),
    ApiExcludeController(),
    UseGuards(SameOriginGuard, PageSessionGuard),
    UseFilters(PageErrorFilter),
  );

/** A route that takes a form by POST. */
export const PostForm = (path: string): MethodDecorator =>
  applyDecorators(Post(path), RouteConfig({ form: true }));
