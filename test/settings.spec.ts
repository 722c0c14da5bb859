import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import '../src/app.setup.js';
import { settingNames } from '../src/config/setting.js';
import { exampleFile, settingsPage } from '../src/config/settings-page.js';
import { settingsSections } from '../src/config/settings.js';

it.each([
  ['docs/settings.md', settingsPage],
  ['.env.example', exampleFile],
])('finds %s as the declared settings make it (node scripts/generate-docs.js)', (file, make) => {
  expect(readFileSync(file, 'utf8')).toBe(make(settingsSections()));
});

it('has at most 66 settings, each with one summary and one declaration', () => {
  expect(settingNames().length).toBeLessThanOrEqual(66);
  expect(new Set(settingNames()).size).toBe(settingNames().length);
  const summaries = settingsSections().flatMap(({ settings }) =>
    Object.values(settings).map(({ summary }) => summary),
  );
  expect(summaries.filter((summary) => !/^[A-Z`].+\.$/.test(summary))).toEqual([]);
});
