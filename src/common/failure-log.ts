import type { Logger } from '@nestjs/common';
import { reasonOf, toApiError } from './api-error.filter.js';

/**
 * Logs the failures of work that is done over and over: the first one, and no other until the work
 * succeeds again. That something is away is a warning; anything else is an error, with its cause.
 */
export class FailureLog {
  private failing = false;

  constructor(
    private readonly name: string,
    private readonly logger: Logger,
  ) {}

  succeeded(): void {
    this.failing = false;
  }

  failed(cause: unknown): void {
    if (this.failing) return;
    this.failing = true;
    const what = `${this.name} failed`;
    const error = toApiError(cause);
    if (error.code === 'unavailable') this.logger.warn(`${what}: ${reasonOf(error)}`);
    else this.logger.error(new Error(what, { cause }));
  }
}
