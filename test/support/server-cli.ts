import { type Outcome, runTool } from './server-tools.js';
import { SECRET, type Server } from './server.js';

/** What a command is run with beside its arguments. */
export interface CommandOptions {
  env?: Record<string, string>;
  /** The standard input. */
  input?: string | Buffer;
  watch?: (stderr: string, kill: () => void) => void;
}

/** Runs `latchkey …` as another process beside `server`, on its database. */
export function latchkey(
  server: Server,
  args: string[],
  { env, input, watch }: CommandOptions = {},
): Promise<Outcome> {
  const settings = {
    DATABASE_URL: server.database.url,
    DATA_DIR: server.database.dataDir,
    JWT_SECRET_KEY: SECRET,
    TEST_BCRYPT_COST: '4',
    ...env,
  };
  return runTool(server.database.dataDir, 'latchkey', args, settings, watch, input);
}
