/** `node scripts/generate-docs.js`: writes the pages of `docs/` that are made from the sources. */
import { writeFileSync } from 'node:fs';
import { buildIfNewer } from './build-if-newer.js';
import { errorsPage } from './errors-page.js';

buildIfNewer();
const { API_ERRORS, ApiError } = await import('../dist/src/common/api-error.js');

const page = errorsPage(API_ERRORS, (code) => new ApiError(code));
writeFileSync(new URL('../docs/errors.md', import.meta.url), page);
