import { type Command, createCommand, Option } from 'commander';
import { clock } from '../common/clock.js';
import { NewPasswords } from '../passwords/new-passwords.js';
import { PasswordsModule } from '../passwords/passwords.module.js';
import { unusableHash } from '../passwords/stored-hash.js';
import { AddressClaimsService } from '../users/address-claims.service.js';
import { UserChangesService } from '../users/user-changes.service.js';
import { recordOf } from './user-record.js';
import { isRoleName, MAX_ROLES, ROLE_NAME_RULE } from '../users/role-name.js';
import type { User } from '../users/user.entity.js';
import { UsersModule } from '../users/users.module.js';
import { UsersService } from '../users/users.service.js';
import type { WithServices } from './context.js';
import { CliError } from './exit.js';
import { identityOf } from './new-identity.js';
import { namedUser, printUser } from './named-user.js';
import { confirm, readPassword, refuseArgument } from './read-password.js';
import { print } from './print.js';

interface Json {
  json?: true;
}

interface CreateOptions extends Json {
  email?: string;
  verified?: true;
  role: string[];
  password: false | undefined;
}

const USER = 'id, username or e-mail address';

/** Returns a command about one user. */
const about = (name: string, description: string): Command =>
  createCommand(name)
    .description(description)
    .argument('<user>', USER)
    .option('--json', 'print the user as JSON');

/** Makes a command refuse arguments that may be passwords. */
const withoutPassword = (command: Command): Command =>
  command
    .argument(
      '[password]',
      'not accepted here: type it when asked, or use the standard input',
      refuseArgument,
    )
    .addOption(
      new Option('-p, --password [password]').hideHelp().argParser(refuseArgument).preset(''),
    );

/** Defines `users …`. An operator that may read the settings may do everything with users. */
export function userCommands(withServices: WithServices): Command[] {
  return [create, show, disable, enable, remove, setPassword, grant, revoke].map((command) =>
    command(withServices),
  );
}

function create(withServices: WithServices): Command {
  return withoutPassword(
    createCommand('create')
      .description('create a user; asks for the password, or reads it from the standard input')
      .argument('<username>', 'the username, or with IDENTIFIER=email the address')
      .option('--email <address>', 'the e-mail address')
      .option('--verified', 'mark the address as verified')
      .option('--role <name>', 'a role; may be given several times', addRole, [])
      .option('--no-password', 'without a password: the user has to set one before signing in')
      .option('--json', 'print the user as JSON'),
  )
    .usage('[options] <username>')
    .action(async (username: string, _none: undefined, options: CreateOptions) => {
      const { name, email } = identityOf(username, options.email);
      if (options.verified && !email) {
        throw new CliError('--verified needs an address: give --email as well');
      }
      const password = options.password === false ? undefined : await readPassword();
      await withServices(
        [UsersModule, PasswordsModule],
        async (services) => {
          const owner = { username: name.username, email: email?.email };
          const passwordHash =
            password === undefined
              ? unusableHash()
              : await services.get(NewPasswords, { strict: false }).hash(password, owner);
          const user = await services.get(UsersService, { strict: false }).create(
            {
              ...name,
              email: email?.email ?? null,
              emailKey: email?.emailKey ?? null,
              emailVerifiedAt: email && options.verified ? clock.date() : null,
              roles: options.role,
              passwordHash,
            },
            undefined,
            {
              holdsAddress: true,
              vacate: options.verified
                ? (manager, key) =>
                    services.get(AddressClaimsService, { strict: false }).vacate(manager, key)
                : undefined,
            },
          );
          printUser(user, options, 'was created');
        },
        { mayCreate: true },
      );
    });
}

function show(withServices: WithServices): Command {
  return about('show', 'show a user').action((name: string, options: Json) =>
    withServices(
      [UsersModule],
      async (services) => {
        const record = recordOf(await namedUser(services, name));
        if (options.json) {
          print(JSON.stringify(record));
          return;
        }
        for (const [key, value] of Object.entries(record)) {
          print(`${key.padEnd(15)}  ${Array.isArray(value) ? value.join(', ') : (value ?? '-')}`);
        }
      },
      { readOnly: true },
    ),
  );
}

function disable(withServices: WithServices): Command {
  return about('disable', 'ban a user, and end all sessions at once').action(
    changing(withServices, 'is disabled', 'was already disabled', (changes, { id }) =>
      changes.disable(id),
    ),
  );
}

function enable(withServices: WithServices): Command {
  return about('enable', 'let a disabled user sign in again').action(
    changing(withServices, 'is enabled', 'was already enabled', (changes, { id }) =>
      changes.enable(id),
    ),
  );
}

function remove(withServices: WithServices): Command {
  return about('delete', 'delete a user and all their data, and end all sessions at once')
    .option('--yes', 'do not ask for confirmation')
    .action((name: string, options: Json & { yes?: true }) =>
      withServices([UsersModule], async (services) => {
        const user = await namedUser(services, name);
        const question = `Delete ${user.username} (${user.id}) for good?`;
        if (!options.yes && !(await confirm(question))) {
          throw new CliError('Nothing was deleted: answer yes, or give --yes');
        }
        await services.get(UserChangesService, { strict: false }).delete(user);
        printUser(user, options, 'was deleted');
      }),
    );
}

function setPassword(withServices: WithServices): Command {
  return withoutPassword(
    about('set-password', 'set a password; asks for it, or reads it from the standard input'),
  ).action(async (name: string, _none: undefined, options: Json) => {
    const modules = [UsersModule, PasswordsModule];
    // Fails for an unknown user before the operator types a password.
    await withServices([UsersModule], (services) => namedUser(services, name), { readOnly: true });
    const password = await readPassword();
    await withServices(modules, async (services) => {
      const user = await namedUser(services, name);
      const owner = { username: user.username, email: user.email ?? undefined };
      const passwordHash = await services
        .get(NewPasswords, { strict: false })
        .hash(password, owner);
      const changes = services.get(UserChangesService, { strict: false });
      if (!(await changes.changePassword(user, passwordHash))) {
        throw new CliError('The password has changed in the meantime, so nothing was set');
      }
      printUser(user, options, 'has the new password; all sessions have ended');
    });
  });
}

function grant(withServices: WithServices): Command {
  return about('grant', 'give roles; issued tokens have them after a refresh')
    .argument('<role...>', 'one or more roles')
    .action((name: string, given: string[], options: Json) => {
      const roles = given.reduce<string[]>((roles, role) => addRole(role, roles), []);
      const edit = (present: string[]) => notTooMany([...present, ...roles]);
      return editing(withServices, edit, `has ${roles.join(', ')}`)(name, options);
    });
}

function revoke(withServices: WithServices): Command {
  return about('revoke', 'take roles away; issued tokens are refused until a refresh')
    .argument('<role...>', 'one or more roles')
    .action((name: string, taken: string[], options: Json) => {
      const edit = (present: string[]) => present.filter((role) => !taken.includes(role));
      return editing(withServices, edit, `does not have ${taken.join(', ')}`)(name, options);
    });
}

function editing(withServices: WithServices, edit: (roles: string[]) => string[], outcome: string) {
  return changing(withServices, outcome, `${outcome}, as before`, (changes, { id }) =>
    changes.editRoles(id, edit),
  );
}

/** Returns an action that changes the named user, and prints the result. */
function changing(
  withServices: WithServices,
  done: string,
  already: string,
  change: (changes: UserChangesService, user: User) => Promise<boolean>,
) {
  return (name: string, options: Json): Promise<void> =>
    withServices([UsersModule], async (services) => {
      const user = await namedUser(services, name);
      const changed = await change(services.get(UserChangesService, { strict: false }), user);
      printUser(await namedUser(services, user.id), options, changed ? done : already);
    });
}

/**
 * Adds a role to the list.
 *
 * @throws CliError if it is not the name of a role
 */
function addRole(role: string, roles: string[]): string[] {
  if (!isRoleName(role)) {
    throw new CliError(`${JSON.stringify(role)} is not the name of a role. ${ROLE_NAME_RULE}`);
  }
  return notTooMany([...roles, role]);
}

/**
 * Returns each role once.
 *
 * @throws CliError if these are more than a user may have
 */
function notTooMany(roles: string[]): string[] {
  const each = [...new Set(roles)];
  if (each.length > MAX_ROLES) throw new CliError(`A user has at most ${MAX_ROLES} roles`);
  return each;
}
