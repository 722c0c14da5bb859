import type { SettingIssue } from './setting.js';

/** Thrown if the settings do not allow a start. The message names each wrong setting, without its value. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';

  constructor(readonly issues: readonly SettingIssue[]) {
    const lines = issues.map(({ name, expected }) => `  ${name}: ${expected}`);
    super(['Latchkey cannot start with these settings:', ...lines].join('\n'));
  }
}
