import type { INestApplicationContext } from '@nestjs/common';
import { isUuid } from '../common/uuid.js';
import { recordOf } from './user-record.js';
import type { User } from '../users/user.entity.js';
import { UsersService } from '../users/users.service.js';
import { CliError, EXIT } from './exit.js';
import { print } from './print.js';

/**
 * Returns the user with this id, username or e-mail address, in this order. A username that equals another
 * user's id therefore finds that other user.
 *
 * @throws CliError if there is none
 */
export async function namedUser(services: INestApplicationContext, name: string): Promise<User> {
  const users = services.get(UsersService, { strict: false });
  const byId = isUuid(name) ? await users.findById(name.toLowerCase()) : null;
  const user = byId ?? (await users.findByLogin(name));
  if (!user) throw new CliError(`There is no user ${JSON.stringify(name)}`, EXIT.noUser);
  return user;
}

/** Prints a user: as a line of JSON for programs, otherwise as a sentence with `what` happened. */
export function printUser(user: User, { json }: { json?: true }, what = ''): void {
  if (json) print(JSON.stringify(recordOf(user)));
  else print(`${user.username} (${user.id})${what && ` ${what}`}`);
}
