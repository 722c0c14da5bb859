import type { Logger } from '@nestjs/common';
import { reasonOf, toApiError } from './api-error.filter.js';

/**
 * Logs the failures of recurring work: the first one, and the next one only after a success. A resource that
 * is down is a warning. Any other failure is an error, with its cause.
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
