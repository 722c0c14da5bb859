import { z } from 'zod';
import { LIMIT_SETTINGS } from './settings.limits.js';
import { MAIL_SETTINGS } from './settings.mail.js';
import { OPERATIONS_SETTINGS } from './settings.operations.js';
import { PASSWORD_SETTINGS } from './settings.passwords.js';
import { SERVER_SETTINGS } from './settings.server.js';
import { SESSION_SETTINGS } from './settings.sessions.js';
import { TOKEN_SETTINGS } from './settings.tokens.js';
import { WEBHOOK_SETTINGS } from './settings.webhooks.js';

/**
 * Every setting, by its name in the environment, with its default and its purpose. A test compares the
 * table in docs/settings.md with it.
 */
export const SETTINGS = {
  ...SERVER_SETTINGS,
  ...TOKEN_SETTINGS,
  ...PASSWORD_SETTINGS,
  ...SESSION_SETTINGS,
  ...LIMIT_SETTINGS,
  ...OPERATIONS_SETTINGS,
  ...MAIL_SETTINGS,
  ...WEBHOOK_SETTINGS,
} as const;

/** The settings' schema: takes the environment, gives typed values. */
export const settingsSchema = z.object(SETTINGS);

/** The settings, typed; secrets included. */
export type Settings = z.infer<typeof settingsSchema>;
