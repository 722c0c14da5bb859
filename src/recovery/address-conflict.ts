import { ApiError } from '../common/api-error.js';
import { violatedUniqueIndex } from '../database/database.js';
import type { LinkOrCode } from '../mailed-links/link-or-code.js';

/**
 * Runs `work`, which gives an account an address. If two accounts take one address at once, the unique index
 * refuses the second.
 *
 * @throws ApiError link_invalid, code_invalid
 */
export async function refuseConflict(given: LinkOrCode, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (violatedUniqueIndex(error) === undefined) throw error;
    throw new ApiError('token' in given ? 'link_invalid' : 'code_invalid', { cause: error });
  }
}
