import { Config, ConfigError, environment } from '../config/config.js';
import { previewSecret } from '../config/generated-secret.js';
import type { Tables } from '../database/tables.js';
import { checkDatabase } from './database-check.js';
import { checkFiles } from './files-check.js';
import { fail, type Finding, warn } from '../common/finding.js';
import { checkHashing } from './hashing-check.js';
import { checkMail } from './mail-check.js';
import { checkNetwork } from './network-check.js';
import { checkSecret } from './secret-check.js';

/**
 * Reads the settings as the server would, and checks their consequences without changing anything. If the
 * settings are wrong, that is the only finding.
 */
export async function diagnose(tables: Tables): Promise<Finding[]> {
  let env: Record<string, string | undefined>;
  let config: Config;
  try {
    env = environment();
    config = Config.load(env, previewSecret);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.issues.map(({ name, expected }) =>
      fail('settings', `${name}: ${expected}`, 'correct it, or the server does not start'),
    );
  }
  return [
    ...config.warnings.map((sentence) => warn('settings', sentence, 'rename or remove it')),
    ...checkSecret(config, env),
    ...checkNetwork(config),
    ...checkFiles(config, env),
    ...(await checkDatabase(config, tables)),
    ...(await checkMail(config)),
    await checkHashing(config),
  ];
}
