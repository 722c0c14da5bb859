import { Config } from '../config/config.js';
import { previewSecret } from '../config/generated-secret.js';
import { prepareEmail } from '../users/email.js';
import { type Address, namedByAddress } from '../users/nameless.js';
import type { User } from '../users/user.entity.js';
import { prepareUsername } from '../users/username.js';
import { CliError } from './exit.js';

/** The name of a new user, and the address if there is one. */
interface Identity {
  name: Pick<User, 'username' | 'usernameKey'>;
  email: Address | undefined;
}

/**
 * Returns the name and the address of a new user. With `IDENTIFIER=email` the first argument is the address.
 *
 * @throws CliError
 */
export function identityOf(first: string, option: string | undefined): Identity {
  if (Config.load(undefined, previewSecret).identifier === 'email') {
    const address = addressOf(first);
    if (option !== undefined && addressOf(option).emailKey !== address.emailKey) {
      throw new CliError('--email is not the address of the first argument');
    }
    return { name: namedByAddress(address), email: address };
  }
  const name = prepareUsername(first);
  if (!name.ok) throw new CliError(name.reason);
  return {
    name: { username: name.username, usernameKey: name.key },
    email: option === undefined ? undefined : addressOf(option),
  };
}

/** @throws CliError */
function addressOf(text: string): Address {
  const prepared = prepareEmail(text);
  if (prepared.ok) return { email: prepared.email, emailKey: prepared.key };
  throw new CliError(prepared.reason);
}
