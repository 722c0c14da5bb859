import { randomBytes } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { ApiError } from '../common/api-error.js';
import { clock } from '../common/clock.js';
import { Config } from '../config/config.js';
import { readOrCreate } from '../config/generated-secret.js';
import { PasswordsService } from '../passwords/passwords.service.js';
import { AddressClaimsService } from '../users/address-claims.service.js';
import { prepareEmail } from '../users/email.js';
import { namedByAddress } from '../users/nameless.js';
import { prepareUsername } from '../users/username.js';
import { type NewUser, UsersService } from '../users/users.service.js';
import { BOOTSTRAP_SETTINGS } from './bootstrap.settings.js';

type Identity = Omit<NewUser, 'passwordHash' | 'roles'>;

/**
 * Makes the first administrator, `BOOTSTRAP_ADMIN`, if there is no administrator. It only makes a new user
 * and never promotes one: a user of that name may be any stranger that registered. The password goes to a file
 * beside the server's secret, and never to the log.
 */
@Injectable()
export class BootstrapAdmin implements OnApplicationBootstrap {
  private readonly logger = new Logger(BootstrapAdmin.name);
  private readonly path: string;

  constructor(
    private readonly config: Config,
    private readonly users: UsersService,
    private readonly passwords: PasswordsService,
    private readonly claims: AddressClaimsService,
  ) {
    this.path = join(config.dataDir, 'bootstrap-admin');
  }

  /**
   * Runs before the server listens.
   *
   * @throws Error if the name is invalid, or the file cannot be written
   */
  async onApplicationBootstrap(): Promise<void> {
    const username = this.config.of(BOOTSTRAP_SETTINGS).BOOTSTRAP_ADMIN?.trim();
    if (username === undefined) return;
    if (!(await this.users.hasAdmin())) return this.make(username);
    if (!existsSync(this.path)) return;
    this.logger.warn(`Change the password in ${this.path}, and remove the file`);
  }

  private async make(typed: string): Promise<void> {
    const identity = this.config.identifier === 'email' ? addressOf(typed) : this.nameOf(typed);
    const { username } = identity;
    // The file is written first. After a kill at any moment it has the password, or the next start uses it.
    const password = this.passwordFor(username);
    const passwordHash = await this.passwords.hash(password);
    try {
      await this.users.create({ ...identity, roles: ['admin'], passwordHash }, undefined, {
        holdsAddress: true,
        vacate: (manager, emailKey) => this.claims.vacate(manager, emailKey),
      });
      this.logger.log(`Created ${username} with the role admin; the password is in ${this.path}`);
    } catch (error) {
      const isTaken = error instanceof ApiError && /^(username|email)_taken$/.test(error.code);
      if (!isTaken) throw error;
      await this.yield(username, password);
    }
  }

  /** Returns the columns of an administrator without an address. */
  private nameOf(typed: string): Identity {
    const name = prepareUsername(typed);
    if (!name.ok) throw new Error(`BOOTSTRAP_ADMIN: ${name.reason}`);
    const { username, key: usernameKey } = name;
    if (this.config.requireVerifiedEmail) {
      throw new Error(
        'BOOTSTRAP_ADMIN: REQUIRE_VERIFIED_EMAIL=on lets no user sign in without an e-mail address. Create ' +
          `an administrator with: npx latchkey users create ${username} --role admin ` +
          '--email … --verified',
      );
    }
    return { username, usernameKey, email: null, emailKey: null };
  }

  /** Handles a name that is taken: by another instance's administrator, or by any user. */
  private async yield(username: string, password: string): Promise<void> {
    const user = await this.users.findByLogin(username);
    const isAdmin = user?.roles.includes('admin') ?? false;
    // The file may be shared with the instance that was first.
    if (isAdmin && (await this.passwords.verify(password, user?.passwordHash))) return;
    rmSync(this.path, { force: true });
    if (isAdmin) return;
    if (!user) {
      this.logger.error(
        `BOOTSTRAP_ADMIN: no user was created: the name ${username} looks like that of another user, or is ` +
          'reserved for its former holder',
      );
      return;
    }
    this.logger.error(
      `BOOTSTRAP_ADMIN: no role was granted: a user ${username} exists already, and may be a stranger. ` +
        `If you know the user, run: npx latchkey users grant ${username} admin`,
    );
  }

  /** Returns the password in the file. Makes the file if there is none for this user. */
  private passwordFor(username: string): string {
    const begin = `Username: ${username}\nPassword: `;
    const made = () =>
      readOrCreate(this.path, () => begin + randomBytes(24).toString('base64url')).text;
    let text = made();
    if (!text.startsWith(begin)) {
      rmSync(this.path);
      text = made();
    }
    return text.slice(begin.length);
  }
}

/** Returns the columns of an administrator without a username. The operator vouches for the address. */
function addressOf(typed: string): Identity {
  const prepared = prepareEmail(typed);
  if (!prepared.ok) throw new Error(`BOOTSTRAP_ADMIN: ${prepared.reason}`);
  const address = { email: prepared.email, emailKey: prepared.key };
  return { ...namedByAddress(address), ...address, emailVerifiedAt: clock.date() };
}
