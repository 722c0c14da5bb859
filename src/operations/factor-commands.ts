import type { INestApplicationContext } from '@nestjs/common';
import { type Command, createCommand } from 'commander';
import { Database } from '../database/database.js';
import { lockUser } from '../users/lock-user.js';
import { type Factor, SecondFactors } from '../users/second-factors.js';
import type { User } from '../users/user.entity.js';
import type { AppParts, WithServices } from './context.js';
import { CliError } from './exit.js';
import { namedUser } from './named-user.js';
import { print } from './print.js';

/**
 * Defines `users factors`, which shows the second factors of a user, or removes all of them. It loads the whole
 * application, because each kind of factor is a capability, or a project's own. Like a command that makes a
 * change, it therefore opens the audit's keys.
 */
export function userFactors(withServices: WithServices, { application }: AppParts): Command {
  return createCommand('factors')
    .description('show the second factors of a user')
    .argument('<user>', 'id, username or e-mail address')
    .option('--reset', 'remove all of them, and end all sessions')
    .option('--json', 'print for programs')
    .action((name: string, { reset, json }: { reset?: true; json?: true }) =>
      withServices([application], async (services) => {
        const user = await namedUser(services, name);
        print(await (reset ? removeAll : list)(services, user, json));
      }),
    );
}

async function list(services: INestApplicationContext, { id: userId }: User, json?: true) {
  const found = await services.get(SecondFactors, { strict: false }).list(userId);
  if (json) return JSON.stringify({ userId, ...found });
  const { factors, recoveryCodesLeft } = found;
  return [...factors.map(lineOf), `${recoveryCodesLeft} recovery codes are left`].join('\n');
}

async function removeAll(services: INestApplicationContext, seen: User, json?: true) {
  const { id: userId, username } = seen;
  const factors = services.get(SecondFactors, { strict: false });
  const database = services.get(Database, { strict: false });
  const { length: removed } = await database.transaction(async (manager) => {
    const user = await lockUser(manager, userId);
    return user ? factors.reset(manager, user) : [];
  });
  if (removed === 0) throw new CliError(`${username} has no second factor`);
  if (json) return JSON.stringify({ userId, removed });
  return `${removed} second factors of ${username} were removed; all sessions have ended`;
}

const lineOf = ({ id, kind, name, createdAt, lastUsedAt }: Factor): string =>
  [id, kind, name, createdAt.toISOString(), lastUsedAt?.toISOString() ?? '-'].join('\t');
