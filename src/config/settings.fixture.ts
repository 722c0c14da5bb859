import { Config, ConfigError } from './config.js';

/** A secret that is good enough for one in production. */
export const SECRET = 'kC4vYx8mQz2rT6wN9pL3sB7dF1gH5jKa';

/** Reads settings, with a good secret. */
export const load = (env: Record<string, string> = {}) =>
  Config.load({ JWT_SECRET_KEY: SECRET, ...env });

/** Returns the names of the settings that are refused. */
export function wrong(env: Record<string, string>): string[] {
  try {
    load(env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.issues.map(({ name }) => name);
    throw error;
  }
}
