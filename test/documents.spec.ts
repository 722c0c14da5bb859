import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { errorsPage } from '../scripts/errors-page.js';
import { API_ERRORS, ApiError, type ApiErrorCode } from '../src/common/api-error.js';

const documents = ['.', 'docs'].flatMap((folder) =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name)),
);

/** The id that a heading gets on GitHub. */
const idOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

it('has a page of the error codes that agrees with the table', () => {
  const page = errorsPage(API_ERRORS, (code: ApiErrorCode) => new ApiError(code));
  // If it fails: node scripts/generate-docs.js
  expect(readFileSync('docs/errors.md', 'utf8')).toBe(page);
});

it.each(documents)('%s links to files and headings that exist', (document) => {
  const text = readFileSync(document, 'utf8').replace(/^```.*?^```/gms, '');
  const dead = [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^(https?|mailto):/.test(target))
    .filter((target) => {
      const [path = '', id] = target.split('#');
      const file = path === '' ? document : join(dirname(document), path);
      if (!existsSync(file)) return true;
      if (id === undefined) return false;
      const headings = [...readFileSync(file, 'utf8').matchAll(/^#+ (.*)$/gm)];
      return !headings.some(([, heading = '']) => idOf(heading) === id);
    });
  expect(dead).toEqual([]);
});

it('names only settings and files that exist', () => {
  const example = readFileSync('.env.example', 'utf8');
  const settings = [...example.matchAll(/^#? ?([A-Z][A-Z_]+)=/gm)].map(([, name]) => name);
  // Variables of the tests, of Node and of the C library.
  const ofTests = ['CORPORA_DIR', 'CRASH_KILLS', 'TEST_DATABASE_URL', 'TEST_REDIS_URL'];
  const known = new Set([...settings, ...ofTests, 'MALLOC_ARENA_MAX', 'NODE_EXTRA_CA_CERTS']);
  const current = documents.filter((document) => document !== 'CHANGELOG.md');
  const unknown = current.flatMap((document) => {
    const text = readFileSync(document, 'utf8').replace(
      /^```(\w*)\n.*?^```$/gms,
      (block, language) => (language === 'sh' ? block : ''),
    );
    const names = [...text.matchAll(/\b([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)\b/g)]
      .map(([, name = '']) => name)
      .filter((name) => !known.has(name));
    const files = [
      ...text.matchAll(/`((?:src|test|scripts|docker|examples|bench|bin)\/[\w/.-]+\.\w+)`/g),
    ]
      .map(([, file = '']) => file)
      // The example of docs/your-own-code.md and of the README.
      .filter((file) => !file.startsWith('src/cats/') && !existsSync(file));
    return [...names, ...files].map((name) => `${document}: ${name}`);
  });
  expect(unknown).toEqual([]);
});
