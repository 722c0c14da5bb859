import { ConfigError } from './config-error.js';
import { readEnvFile } from './env-file.js';

/** Returns the values of `.env`, and over them the process's environment. @throws ConfigError naming its wrong lines */
export function environment(): Record<string, string | undefined> {
  const { values, issues } = readEnvFile();
  if (issues.length > 0) throw new ConfigError(issues);
  return { ...values, ...process.env };
}
