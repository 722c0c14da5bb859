import { type Command, createCommand } from 'commander';
import { SessionsService } from '../sessions/sessions.service.js';
import { UsersModule } from '../users/users.module.js';
import type { WithServices } from './context.js';
import { CliError } from './exit.js';
import { namedUser } from './named-user.js';
import { print } from './print.js';

/** Defines `sessions revoke`, which signs a user out everywhere, or on one device. */
export function revokeSessions(withServices: WithServices): Command {
  return createCommand('revoke')
    .description('end the sessions of a user; running servers refuse their tokens within 2 s')
    .argument('<user>', 'id, username or e-mail address')
    .option('--session <id>', 'end only this session')
    .option('--json', 'print the number as JSON')
    .action((name: string, { session: id, json }: { session?: string; json?: true }) =>
      withServices([UsersModule], async (services) => {
        const { id: userId, username } = await namedUser(services, name);
        const sessions = services.get(SessionsService, { strict: false });
        const chosen = { userId, ...(id !== undefined && { id }) };
        const ended = await sessions.end(chosen, 'ended_by_admin');
        if (id !== undefined && ended === 0) {
          throw new CliError(`${username} has no active session ${JSON.stringify(id)}`);
        }
        print(json ? JSON.stringify({ userId, ended }) : `${ended} sessions have ended`);
      }),
    );
}
