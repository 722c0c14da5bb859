/** `node scripts/generate-docs.js`: writes the pages of `docs/` and the `.env.example` that are made from the sources. */
import { writeFileSync } from 'node:fs';
import { buildIfNewer } from './build-if-newer.js';
import { errorsPage } from './errors-page.js';

buildIfNewer();
const { API_ERRORS, ApiError } = await import('../dist/src/common/api-error.js');
// The import declares the settings of every room.
await import('../dist/src/app.setup.js');
const { settingsSections } = await import('../dist/src/config/settings.js');
const { exampleFile, settingsPage } = await import('../dist/src/config/settings-page.js');

const write = (file, text) => {
  writeFileSync(new URL(`../${file}`, import.meta.url), text);
};
write(
  'docs/errors.md',
  errorsPage(API_ERRORS, (code) => new ApiError(code)),
);
write('docs/settings.md', settingsPage(settingsSections()));
write('.env.example', exampleFile(settingsSections()));
