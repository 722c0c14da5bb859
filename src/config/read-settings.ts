import { z } from 'zod';
import { coreIssues, mailIssues } from './core-checks.js';
import { givenSettings } from './given-settings.js';
import type { SettingIssue, SettingsSection } from './setting.js';
import { type CoreValues, settingsSections } from './settings.js';

/** The environment as the schemas read it. */
export interface ReadSettings {
  given: Record<string, string | undefined>;
  issues: SettingIssue[];
  production: boolean;
  /** The values of all declared settings by name; undefined if a schema refused one. */
  values: Record<string, unknown> | undefined;
}

/** Reads all declared settings from `env`, and checks each of them and each section. */
export function readSettings(env: Record<string, string | undefined>): ReadSettings {
  const { given, issues } = givenSettings(env);
  const production = given.NODE_ENV === 'production';
  const values: Record<string, unknown> = {};
  let complete = true;
  for (const section of settingsSections()) {
    const { data, error } = schemaOf(section).safeParse(given);
    for (const { path, message } of error?.issues ?? []) {
      issues.push({ name: String(path[0]), expected: message });
    }
    if (data) issues.push(...(section.check?.(data, { production, given }) ?? []));
    else complete = false;
    for (const name of Object.keys(section.settings)) values[name] = data?.[name];
  }
  issues.push(...mailIssues(given, production));
  if (complete) issues.push(...coreIssues(values as CoreValues, production));
  return { given, issues, production, values: complete ? values : undefined };
}

function schemaOf({ settings }: SettingsSection) {
  const schemas = Object.entries(settings).map(([name, { schema }]) => [name, schema] as const);
  return z.object(Object.fromEntries(schemas));
}
