import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import request from 'supertest';
import { copyProject, type Project } from './support/project.js';
import { GOOD_PASSWORD } from './support/server.js';

/**
 * Applies what README.md and docs/your-own-code.md say to a copy of the project, as a newcomer would: each
 * block that names its file in the first line.
 */
let project: Project;
beforeAll(async () => {
  project = await copyProject();
});
afterAll(() => project.remove());

interface Block {
  language: string;
  text: string;
}

const blocksOf = (markdown: string): Block[] =>
  [...markdown.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language = '', text = '']) => ({
    language,
    text,
  }));

/** The part of the README under a heading. */
function section(markdown: string, heading: string): string {
  const [, rest = ''] = markdown.split(`\n## ${heading}\n`);
  return rest.split('\n## ')[0] ?? '';
}

async function write(file: string, text: string): Promise<void> {
  const path = join(project.dir, file);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

/** Adds the lines with a `+` after the line before them, or at the top if there is none. Removes those with a `-`. */
async function patch(diff: string): Promise<void> {
  const [first = '', ...lines] = diff.trimEnd().split('\n');
  const file = first.replace(/^ \/\/ /, '');
  const path = join(project.dir, file);
  const text = (await readFile(path, 'utf8')).split('\n');
  let at = 0;
  for (const line of lines) {
    if (line.startsWith('+')) text.splice(at++, 0, line.slice(1));
    else {
      const found = text.indexOf(line.slice(1));
      if (found < 0) throw new Error(`${file} has no line "${line}"`);
      at = line.startsWith('-') ? found : found + 1;
      if (line.startsWith('-')) text.splice(found, 1);
    }
  }
  await writeFile(path, text.join('\n'));
}

const run = async (program: string, args: string[], env?: Record<string, string>) => {
  const { code, output } = await project.run(program, args, env).exit;
  return { code, output };
};
/** Runs a program of node_modules. */
const node = (path: string, ...args: string[]) =>
  run(process.execPath, [`node_modules/${path}`, ...args]);
const jest = (target: 'src' | 'dist', ...args: string[]) =>
  run(process.execPath, ['node_modules/jest/bin/jest.js', '-w', '2', ...args], {
    E2E_TARGET: target,
  });

it('the README’s controller and the docs’ table leave lint, types and tests green', async () => {
  const readme = section(await project.read('README.md'), 'Guard your own controller');
  const [module, added] = blocksOf(readme);
  expect([module?.language, added?.language]).toEqual(['ts', 'diff']);
  const [, name = ''] = /say `(src\/[\w/.-]+)`/.exec(readme) ?? [];
  await write(name, module?.text ?? '');
  await patch(added?.text ?? '');
  const blocks = blocksOf(await project.read('docs/your-own-code.md'));
  const applied: string[] = [];
  for (const { language, text } of blocks) {
    const [, file] = /^(?: |)\/\/ (src\/\S+)\n/.exec(text) ?? [];
    if (file === undefined) continue;
    applied.push(file);
    if (language === 'diff') await patch(text);
    else await write(file, text.slice(text.indexOf('\n') + 1));
  }
  expect(applied).toEqual([
    'src/cats/cat.entity.ts',
    'src/cats/1790000000000-create-cats.ts',
    'src/app.module.ts',
    'src/cats/cats.module.ts',
    'src/cats/cat-hooks.ts',
    'src/app.module.ts',
  ]);

  const built = await run('npm', ['run', '--silent', 'build']);
  expect(built).toEqual({ code: 0, output: '' });
  const changed = ['src/cats', 'src/app.module.ts'];
  const linted = await node('eslint/bin/eslint.js', ...changed);
  expect(linted).toEqual({ code: 0, output: '' });
  const formatted = await node('prettier/bin/prettier.cjs', '--check', ...changed);
  expect([formatted.code, formatted.output]).toEqual([
    0,
    expect.stringContaining('All matched files use Prettier code style!'),
  ]);

  const tests = await jest(
    'dist',
    ...['--selectProjects', 'unit', 'sqlite', '--'],
    ...['test/architecture', 'test/database.e2e', 'test/personal-data', 'test/routes'],
    ...['test/public-routes', 'test/guard.e2e'],
  );
  expect([tests.code, tests.output]).toEqual([0, expect.not.stringContaining('FAIL')]);
  expect(tests.output.match(/^PASS/gm)).toHaveLength(6);
}, 600_000);

it('the server of the changed copy serves the new controller', async () => {
  const server = project.run(process.execPath, ['dist/src/main.js']);
  const [, url = ''] = await server.said(/Server listening at (http:\/\/[\w.:]+)/);
  const ada = { username: 'ada', password: GOOD_PASSWORD };
  await request(url).post('/register').send(ada).expect(201);
  const { jwt } = (await request(url).post('/login').send(ada)).body as { jwt: string };
  const adopted = await request(url)
    .post('/cats')
    .auth(jwt, { type: 'bearer' })
    .send({ name: 'Tom', owner: 'Eve' });
  expect([adopted.status, adopted.body]).toMatchObject([201, { name: 'Tom' }]);
  const cats = await request(url).get('/cats').auth(jwt, { type: 'bearer' });
  expect(cats.body).toEqual({ owner: 'ada', cats: ['Tom'] });
  await request(url).get('/cats').expect(401);
});

it('a route that lost its guard is named, with a sentence that says how to allow it', async () => {
  const path = 'src/cats/cats.module.ts';
  const open = (await project.read(path))
    .replace('@UseGuards(JwtAuthGuard)\n', '')
    .replace(', UseGuards }', ' }')
    .replace(/^import \{ JwtAuthGuard .*\n/m, '');
  await write(path, open);
  const tests = await jest('src', '--selectProjects', 'sqlite', '--', 'test/public-routes');
  expect(tests.code).toBe(1);
  expect(tests.output).toMatch(
    /POST \/cats of CatsController answers \d+ without a token. Guard it by @UseGuards\(JwtAuthGuard\), or allow it by @Public\(\)/,
  );
});
