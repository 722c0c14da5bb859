import type { SettingIssue } from './setting.js';
import type { CoreValues } from './settings.js';

/** Returns the faults of settings that are right alone, but contradict settings of other sections. */
export function coreIssues(values: CoreValues, production: boolean): SettingIssue[] {
  const issues: SettingIssue[] = [];
  const refuse = (name: keyof CoreValues, expected: string) => issues.push({ name, expected });
  const cookies = values.AUTH_COOKIES !== 'off';
  const url = values.PUBLIC_URL;
  if (cookies && values.CORS_ORIGINS.length === 0) {
    refuse('CORS_ORIGINS', `the origins that AUTH_COOKIES=${values.AUTH_COOKIES} is for`);
  }
  if (cookies && production && url?.startsWith('http:')) {
    refuse('PUBLIC_URL', 'https:// with AUTH_COOKIES in production, where cookies need https');
  }
  const domain = values.AUTH_COOKIE_DOMAIN;
  const host = url === undefined ? undefined : new URL(url).hostname;
  if (domain !== undefined && host !== domain && !host?.endsWith(`.${domain}`)) {
    refuse('AUTH_COOKIE_DOMAIN', 'the domain of PUBLIC_URL, or one above it');
  }
  if (values.AUTH_COOKIES === 'cross-site' && !production && !url?.startsWith('https:')) {
    refuse('AUTH_COOKIES', 'on or lax, unless PUBLIC_URL is https://');
  }
  return issues;
}

/** Returns the settings that mail needs and that are missing. This check works beside wrong values. */
export function mailIssues(
  given: Readonly<Record<string, string | undefined>>,
  production: boolean,
): SettingIssue[] {
  if (given.SMTP_URL === undefined) return [];
  return [
    ...(given.MAIL_FROM === undefined
      ? [{ name: 'MAIL_FROM', expected: 'needed with SMTP_URL' }]
      : []),
    ...(production && given.PUBLIC_URL === undefined
      ? [{ name: 'PUBLIC_URL', expected: 'needed with SMTP_URL in production' }]
      : []),
  ];
}
