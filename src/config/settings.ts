import { ACCOUNT_SETTINGS } from './accounts.settings.js';
import { DATABASE_SETTINGS } from './database.settings.js';
import { MAIL_SETTINGS } from './mail.settings.js';
import { PASSWORD_SETTINGS } from './passwords.settings.js';
import { RATE_LIMIT_SETTINGS } from './rate-limits.settings.js';
import { SERVER_SETTINGS } from './server.settings.js';
import { SESSION_SETTINGS } from './sessions.settings.js';
import { declaredSections, type SettingsSection, type ValuesOf } from './setting.js';
import { TOKEN_SETTINGS } from './tokens.settings.js';

/** The sections of the core, in the order of `docs/settings.md`. Their checks each get values of their own type. */
const CORE = [
  SERVER_SETTINGS,
  DATABASE_SETTINGS,
  TOKEN_SETTINGS,
  ACCOUNT_SETTINGS,
  PASSWORD_SETTINGS,
  SESSION_SETTINGS,
  RATE_LIMIT_SETTINGS,
  MAIL_SETTINGS,
] as unknown as SettingsSection[];

/** Returns all sections: those of the core, and then those of the imported rooms by title. */
export function settingsSections(): SettingsSection[] {
  const others = declaredSections().filter(({ title }) => !CORE.some((own) => own.title === title));
  return [...CORE, ...others.sort((a, b) => a.title.localeCompare(b.title))];
}

/** The values of the core's settings, secrets included. */
export type CoreValues = ValuesOf<typeof SERVER_SETTINGS.settings> &
  ValuesOf<typeof DATABASE_SETTINGS.settings> &
  ValuesOf<typeof TOKEN_SETTINGS.settings> &
  ValuesOf<typeof ACCOUNT_SETTINGS.settings> &
  ValuesOf<typeof PASSWORD_SETTINGS.settings> &
  ValuesOf<typeof SESSION_SETTINGS.settings> &
  ValuesOf<typeof RATE_LIMIT_SETTINGS.settings> &
  ValuesOf<typeof MAIL_SETTINGS.settings>;
