import { Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ApiError } from '../common/api-error.js';

/** Renders the page whose form was refused, with the problem in it; undefined if it cannot. */
export type FailureView = (
  request: FastifyRequest,
  reply: FastifyReply,
  error: ApiError,
) => string | undefined | Promise<string | undefined>;

/** The registry of the pages that show their own failures, by the path of the form's route. */
@Injectable()
export class PageViews {
  private readonly views = new Map<string, FailureView>();

  /** Adds the view of a route, such as `/sign-in`. */
  onFailure(path: string, view: FailureView): void {
    this.views.set(path, view);
  }

  /** Returns the view of a route; undefined if it has none. */
  find(path: string | undefined): FailureView | undefined {
    return path === undefined ? undefined : this.views.get(path);
  }
}
