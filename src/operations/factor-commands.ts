import { type Command, createCommand } from 'commander';
import { Database } from '../database/database.js';
import { lockUser } from '../users/lock-user.js';
import { type Factor, SecondFactors } from '../users/second-factors.js';
import type { AppParts, WithServices } from './context.js';
import { CliError } from './exit.js';
import { namedUser } from './named-user.js';
import { print } from './print.js';

/**
 * Defines `users factors`, which shows the second factors of a user, or removes all of them. It loads the whole
 * application, because each kind of factor is a capability, or a project's own.
 */
export function userFactors(withServices: WithServices, { application }: AppParts): Command {
  return createCommand('factors')
    .description('show the second factors of a user')
    .argument('<user>', 'id, username or e-mail address')
    .option('--reset', 'remove all of them, and end all sessions')
    .option('--json', 'print for programs')
    .action((name: string, { reset, json }: { reset?: true; json?: true }) =>
      withServices(
        [application],
        async (services) => {
          const { id, username } = await namedUser(services, name);
          const enrolled = services.get(SecondFactors, { strict: false });
          if (!reset) {
            const { factors, recoveryCodesLeft } = await enrolled.list(id);
            if (json) print(JSON.stringify({ userId: id, factors, recoveryCodesLeft }));
            else for (const factor of factors) print(lineOf(factor));
            if (!json) print(`${recoveryCodesLeft} recovery codes are left`);
            return;
          }
          const removed = await services
            .get(Database, { strict: false })
            .transaction(async (manager) => {
              const user = await lockUser(manager, id);
              return user ? enrolled.reset(manager, user) : [];
            });
          if (removed.length === 0) throw new CliError(`${username} has no second factor`);
          const count = removed.length;
          print(
            json
              ? JSON.stringify({ userId: id, removed: count })
              : `${count} second factors of ${username} were removed; all sessions have ended`,
          );
        },
        { readOnly: !reset },
      ),
    );
}

const lineOf = ({ id, kind, name, createdAt, lastUsedAt }: Factor): string =>
  [id, kind, name, createdAt.toISOString(), lastUsedAt?.toISOString() ?? '-'].join('\t');
