import { type EntityManager, IsNull, Like } from 'typeorm';
import { type Finding, warn } from '../common/finding.js';
import type { Config } from '../config/config.js';
import { User } from './user.entity.js';

/** Checks that users can sign in as `IDENTIFIER` asks for it, for `npx latchkey doctor`. */
export async function checkIdentifier(
  manager: EntityManager,
  { identifier }: Config,
): Promise<Finding[]> {
  const check = 'identifier';
  if (identifier === 'email') {
    const count = await manager.countBy(User, { emailKey: IsNull() });
    const message = `users without an e-mail address: ${count}. With IDENTIFIER=email they cannot sign in`;
    return count === 0 ? [] : [warn(check, message, 'set IDENTIFIER=both until they have one')];
  }
  if (identifier === 'username') {
    const count = await manager.countBy(User, { usernameKey: Like('%@%') });
    const message = `users without a username: ${count}. With IDENTIFIER=username they cannot sign in`;
    return count === 0 ? [] : [warn(check, message, 'set IDENTIFIER=both until they have one')];
  }
  return [];
}
