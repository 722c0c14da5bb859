import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { RateLimits } from '../throttling/rate-limits.js';
import { mailboxKey } from '../users/mailbox.js';

/** Limits the mails that requests ask for, by their mailbox. */
@Injectable()
export class MailLimit {
  constructor(private readonly limits: RateLimits) {}

  /**
   * Counts a mail to an address.
   *
   * @param emailKey the unique form of the address
   * @throws ApiError too_many_requests
   */
  async take(request: FastifyRequest, emailKey: string): Promise<void> {
    await this.limits.take(request, this.limits.named('mail'), mailboxKey(emailKey));
  }
}
