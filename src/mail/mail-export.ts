import { type EntityManager, In, Not } from 'typeorm';
import { User } from '../users/user.entity.js';
import { MailItem } from './mail-item.entity.js';

/**
 * Returns the stored mails to a user, for the user's export, without their sealed contents.
 *
 * @param leftOut the templates of mails that the export leaves out
 */
export async function exportMails(
  manager: EntityManager,
  userId: string,
  leftOut: string[],
): Promise<object[]> {
  const user = await manager.findOneBy(User, { id: userId });
  // A mail to an unverified address would reveal whether another account has the address.
  if (!user?.emailVerifiedAt) return [];
  const mails = await manager.find(MailItem, {
    where: { userId, template: Not(In(leftOut)) },
    order: { createdAt: 'ASC' },
  });
  return mails.map(({ template, createdAt, attempts, failedAt }) => ({
    template,
    createdAt,
    attempts,
    failedAt,
  }));
}
