import type { EntityTarget, ObjectLiteral } from 'typeorm';
import { ApiError } from '../common/api-error.js';
import { clock } from '../common/clock.js';
import type { Database } from '../database/database.js';

/** How often a challenge of a sign-in may be answered. */
const ATTEMPTS = 5;

/** A row with the columns `attempts` and `expires_at`. */
interface Challenge extends ObjectLiteral {
  expiresAt: Date;
}

/**
 * Counts an answer to a challenge before it is judged, in a statement of its own. So neither parallel answers nor
 * a rollback get more attempts.
 *
 * @param condition SQL with named parameters that finds the challenge if it can be answered
 * @param find returns the challenge, or throws if it can no longer be answered
 * @throws ApiError too_many_requests after five answers, and the refusals of `find`
 */
export async function countAnswer<T extends Challenge>(
  database: Database,
  entity: EntityTarget<T>,
  condition: string,
  parameters: ObjectLiteral,
  find: () => Promise<T>,
): Promise<T> {
  const now = clock.now();
  const { affected } = await database.write((manager) =>
    manager
      .createQueryBuilder()
      .update(entity)
      .set({ attempts: () => 'attempts + 1' } as object)
      .where(condition, parameters)
      .andWhere('attempts < :limit AND expires_at > :now', { limit: ATTEMPTS, now })
      .execute(),
  );
  const found = await find();
  if (affected === 1) return found;
  const wait = Math.ceil((found.expiresAt.getTime() - now) / 1000);
  throw new ApiError('too_many_requests', {
    msg: 'This sign-in was tried too often; start again',
    headers: { 'Retry-After': String(wait) },
  });
}
