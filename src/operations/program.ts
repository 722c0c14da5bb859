import { Command, createCommand } from 'commander';
import { generateKeys } from '../keys/generate.js';
import { auditVerifyCommand } from './audit-verify-command.js';
import { backupCommand } from './backup-command.js';
import { type AppParts, servicesOf } from './context.js';
import { copyCommand } from './copy-command.js';
import { doctorCommand } from './doctor-command.js';
import { userFactors } from './factor-commands.js';
import { listUsers } from './list-command.js';
import { migrationCommands } from './migration-commands.js';
import { revokeSessions } from './session-commands.js';
import { exportUsers, importUsers } from './transfer-commands.js';
import { userCommands } from './user-commands.js';

/** Returns `latchkey …` with all its commands. Needs the capability `audit-chain`, which `audit verify` checks. */
export function program(parts: AppParts): Command {
  const withServices = servicesOf(parts);
  const { tables } = parts;
  return group(
    'latchkey',
    'Manages a server through its database, by the settings of the environment and of .env.',
    group(
      'users',
      'manage users',
      listUsers(withServices),
      ...userCommands(withServices),
      userFactors(withServices, parts),
      importUsers(withServices),
      exportUsers(withServices),
    ),
    group('sessions', 'end sessions', revokeSessions(withServices)),
    group('keys', 'create keys and secrets', generate()),
    group('audit', 'verify the audit', auditVerifyCommand()),
    group('db', 'copy or back up the database', copyCommand(tables), backupCommand()),
    group('migration', 'write, run and revert migrations', ...migrationCommands(tables)),
    doctorCommand(tables),
  );
}

function group(name: string, description: string, ...commands: Command[]): Command {
  const parent = new Command(name).description(description);
  for (const command of commands) parent.addCommand(command);
  return parent;
}

function generate(): Command {
  return createCommand('generate')
    .description('print a new key pair or secret for .env')
    .argument('[algorithm]', 'ES256, HS256, …')
    .action((algorithm?: string) => {
      process.stdout.write(generateKeys(algorithm));
    });
}
