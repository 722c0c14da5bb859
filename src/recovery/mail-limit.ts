import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { signedInUser } from '../auth/limit-keys.js';
import { RateLimits } from '../throttling/rate-limits.js';
import { mailboxKey } from '../users/mailbox.js';

/** How often a user may ask for another address. */
export const CHANGE_EMAIL_LIMIT = { name: 'changeEmail', limit: '10/1h', by: signedInUser };

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
