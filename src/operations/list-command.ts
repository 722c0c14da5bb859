import { type Command, createCommand, InvalidArgumentError, Option } from 'commander';
import { recordOf, type UserRecord } from './user-record.js';
import { MFA_STATES, USER_STATES, UserSearchService } from '../users/user-search.service.js';
import { UsersModule } from '../users/users.module.js';
import type { WithServices } from './context.js';
import { print } from './print.js';

/** The number of users that are read at a time. */
const PAGE = 100;

interface ListOptions {
  role?: string;
  state?: (typeof USER_STATES)[number];
  mfa?: (typeof MFA_STATES)[number];
  prefix?: string;
  limit: number;
  json?: true;
}

/** Defines `users list`, which prints a line for each user. */
export function listUsers(withServices: WithServices): Command {
  return createCommand('list')
    .description('list users')
    .option('--prefix <text>', 'only users whose name or e-mail address begins with this text')
    .option('--role <name>', 'only users with this role')
    .addOption(new Option('--state <state>', 'only users in this state').choices(USER_STATES))
    .addOption(
      new Option('--mfa <any>', 'only users with a second factor, or without').choices(MFA_STATES),
    )
    .option('--limit <number>', 'the maximum number of users', readLimit, 100)
    .option('--json', 'print each user as a line of JSON')
    .action((options: ListOptions) =>
      withServices(
        [UsersModule],
        async (services) => {
          const { limit, json, ...filter } = options;
          const search = services.get(UserSearchService, { strict: false });
          let left = limit;
          let cursor: string | undefined;
          do {
            const page = await search.page(filter, cursor, Math.min(left, PAGE));
            for (const user of page.users.map(recordOf)) {
              print(json ? JSON.stringify(user) : lineOf(user));
            }
            left -= page.users.length;
            cursor = page.next ?? undefined;
          } while (left > 0 && cursor !== undefined);
        },
        { readOnly: true },
      ),
    );
}

const lineOf = ({ id, username, email, roles, disabledAt }: UserRecord): string =>
  [id, username, email ?? '-', roles.join(',') || '-', disabledAt === null ? '' : 'disabled']
    .join('\t')
    .trimEnd();

function readLimit(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It has to be a whole number of at least 1.');
}
