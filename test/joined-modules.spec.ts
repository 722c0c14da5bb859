import { mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ask, codeOf } from './support/http.js';
import { copyProject, type Project, type Running } from './support/project.js';

/** A project with modules and packages of its own, whose build has joined all modules. */
let project: Project;
let server: Running;
let url: string;
beforeAll(async () => {
  project = await copyProject();
  await givePackages();
  await giveFarPackage();
  const appModule = await project.read('src/app.module.ts');
  const imported = `import { CatsModule } from './cats/cats.module.js';\n${appModule}`;
  await write(
    'src/app.module.ts',
    imported.replace('forRoot(latchkey),', 'forRoot(latchkey), CatsModule,'),
  );
  await write('src/cats/cats.module.ts', CATS);
  await run('--eval', "import('./scripts/compile.js').then((script) => script.compileAll())");
  await run('scripts/bundle.js');
  server = project.run(process.execPath, ['--enable-source-maps', 'dist/src/main.js']);
  url = (await server.said(/Server listening at (http:\/\/[\w.:]+)/))[1] ?? '';
});
afterAll(() => project.remove());

const CATS = `
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Controller, Get, Module, Param } from '@nestjs/common';
import far from 'cats-far';
import * as linked from 'cats-linked';
import * as peer from 'cats-peer';
import * as wrapper from 'cats-wrapper';

// Projects write this before Node 20.11, and some write it still.
const __filename = fileURLToPath(import.meta.url);
const __dirname = dirname(__filename);
const { filename, resolve } = import.meta;
const packages = { linked, peer, wrapper };

@Controller('cats')
class CatsController {
  @Get('places')
  places() {
    return {
      files: [__filename, filename, import.meta.filename],
      folders: [__dirname, import.meta.dirname],
      urls: [import.meta.url, import.meta.resolve('./cats.module.js')],
      packages: [import.meta.resolve('lru-cache'), resolve('lru-cache')],
      texts: ["import.meta.url", 'import.meta.url', \`__dirname\`],
    };
  }

  @Get('said/:word')
  said(@Param('word') word: string) {
    return { said: far.say(word) };
  }

  @Get('broken')
  broken() {
    throw new Error('It broke');
  }

  @Get('refused/:by')
  refused(@Param('by') by: string) {
    packages[by].refuse();
  }
}

@Module({ controllers: [CatsController] })
export class CatsModule {}
`;

const REFUSE = `
import { ForbiddenException } from '@nestjs/common';
export function refuse() {
  throw new ForbiddenException();
}
`;

const FAR = "exports.say = (word) => require(['.', 'words', word].join('/'));";

/** Gives the project a package that needs Nest, one that needs the first, and one whose folder is linked. */
async function givePackages(): Promise<void> {
  const modules = join(project.dir, 'node_modules');
  await rm(modules);
  await mkdir(modules);
  for (const name of await readdir('node_modules')) {
    await symlink(resolve('node_modules', name), join(modules, name));
  }
  const peerDependencies = { '@nestjs/common': '*' };
  await pack('node_modules/cats-peer', { peerDependencies }, REFUSE);
  const dependencies = { 'cats-peer': '*' };
  await pack('node_modules/cats-wrapper', { dependencies }, "export * from 'cats-peer';");
  await pack('packages/linked', { peerDependencies }, REFUSE);
  await symlink('../packages/linked', join(modules, 'cats-linked'));
}

/** Gives the project a package of many files, which needs RxJS through another package. */
async function giveFarPackage(): Promise<void> {
  await pack('node_modules/cats-streams', { dependencies: { rxjs: '*' } }, "export * from 'rxjs';");
  const dependencies = { 'cats-streams': '*' };
  await pack('node_modules/cats-far', { type: 'commonjs', dependencies }, FAR);
  await write('node_modules/cats-far/words/meow.js', "module.exports = 'Meow';");
}

async function pack(folder: string, fields: object, text: string): Promise<void> {
  const manifest = { name: folder, version: '1.0.0', type: 'module', main: 'index.js', ...fields };
  await write(`${folder}/package.json`, JSON.stringify(manifest));
  await write(`${folder}/index.js`, text);
}

async function write(file: string, text: string): Promise<void> {
  const path = join(project.dir, file);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

async function run(...args: string[]): Promise<void> {
  const { code, output } = await project.run(process.execPath, args).exit;
  expect([code, output]).toEqual([0, output]);
}

it('lets each module know its own address', async () => {
  const folder = join(project.dir, 'dist/src/cats');
  const file = join(folder, 'cats.module.js');
  const library = pathToFileURL(resolve('node_modules/lru-cache/')).href;
  const packages = expect.stringContaining(library) as string;
  expect(await ask(url, 'GET', '/cats/places')).toEqual({
    status: 200,
    body: {
      files: [file, file, file],
      folders: [folder, folder],
      urls: [pathToFileURL(file).href, pathToFileURL(file).href],
      packages: [packages, packages],
      texts: ['import.meta.url', 'import.meta.url', '__dirname'],
    },
  });
});

it.each(['peer', 'wrapper', 'linked'])('loads Nest once for a package: %s', async (name) => {
  expect(await codeOf(ask(url, 'GET', `/cats/refused/${name}`))).toBe('forbidden');
});

it('names the lines of sources in the log, if Node is to read source maps', async () => {
  expect(await codeOf(ask(url, 'GET', '/cats/broken'))).toBe('internal_error');
  const line = CATS.split('\n').findIndex((text) => text.includes('It broke')) + 1;
  const file = join(project.dir, 'src/cats/cats.module.ts');
  const [entry = ''] = await server.said(/^.*It broke.*$/m);
  expect(entry).toContain(`broken (${file}:${line}:`);
});

it('leaves outside a package that needs only RxJS through others', async () => {
  expect(await ask(url, 'GET', '/cats/said/meow')).toEqual({ status: 200, body: { said: 'Meow' } });
});
