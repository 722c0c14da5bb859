import type { EntityManager } from 'typeorm';
import type { MailService } from '../mail/mail.service.js';
import type { User } from '../users/user.entity.js';

/** Tells the holder of an address that somebody tried to use it for another account. */
export function mailAccountExists(
  mail: MailService,
  manager: EntityManager,
  holder: User,
  locale?: string | null,
): Promise<void> {
  return mail.enqueue(manager, {
    to: holder.email ?? '',
    userId: holder.id,
    template: 'account-exists',
    values: {},
    locale: holder.locale ?? locale,
  });
}
