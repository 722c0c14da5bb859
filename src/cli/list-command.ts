import { type Command, createCommand, InvalidArgumentError, Option } from 'commander';
import { TransferModule } from '../transfer/transfer.module.js';
import { UserExport } from '../transfer/user-export.js';
import type { UserRecord } from '../transfer/user-record.js';
import { withServices } from './context.js';

interface ListOptions {
  role?: string;
  state?: 'active' | 'disabled' | 'unverified';
  prefix?: string;
  limit: number;
  json?: true;
}

/** `users list`: a line a user. */
export function listUsers(): Command {
  return createCommand('list')
    .description('list users')
    .option('--prefix <text>', 'whose name or e-mail address begins so')
    .option('--role <name>', 'who have this role')
    .addOption(new Option('--state <state>').choices(['active', 'disabled', 'unverified']))
    .option('--limit <number>', 'at most so many', readLimit, 100)
    .option('--json', 'print lines of JSON for programs')
    .action((options: ListOptions) =>
      withServices([TransferModule], async (services) => {
        let left = options.limit;
        for await (const user of services.get(UserExport, { strict: false }).run()) {
          if (!meets(user, options)) continue;
          console.log(options.json ? JSON.stringify(user) : lineOf(user));
          if (--left === 0) return;
        }
      }),
    );
}

function meets(user: UserRecord, { prefix, role, state }: ListOptions): boolean {
  const begins = (text: string | null) =>
    text?.toLowerCase().startsWith(prefix?.toLowerCase() ?? '') ?? false;
  const states = {
    active: user.disabledAt === null,
    disabled: user.disabledAt !== null,
    unverified: user.email !== null && user.emailVerifiedAt === null,
  };
  return (
    (prefix === undefined || begins(user.username) || begins(user.email)) &&
    (role === undefined || user.roles.includes(role)) &&
    (state === undefined || states[state])
  );
}

const lineOf = ({ id, username, email, roles, disabledAt }: UserRecord): string =>
  [id, username, email ?? '-', roles.join(',') || '-', disabledAt === null ? '' : 'disabled']
    .join('\t')
    .trimEnd();

function readLimit(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It is not a whole number from 1 on.');
}
