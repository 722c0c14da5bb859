/**
 * The last step of `npm run build`: joins the server's modules, and the packages of Nest, into a few files. Node would
 * look for, read and link more than a thousand files at each start.
 *
 * The entry replaces `dist/src/server.js`, and the compiled modules stay beside it for commands and tests. The
 * compiler writes all files anew, so no bundle outlives its sources. Without this step the server starts the same, but
 * slower.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { build } from 'esbuild';

const FOLDER = join(import.meta.dirname, '../dist/src');

/**
 * The packages whose many small files are joined. A package that depends on one of them is joined too, because each
 * class must exist once. All other packages stay outside: some have native parts, threads or files of their own.
 */
const JOINED = /^(@nestjs\/|zod$|rxjs$|preact)/;

/** The module that has to run before the packages outside are loaded. */
const LATE_PACKAGES = './common/late-packages.js';
const FIRST = /\/late-packages\.js$/;

/** Returns the address of a file, relative to the bundle. */
const addressOf = (file) => relative(FOLDER, file).replaceAll('\\', '/');

const packageOf = (name) => /^(@[^/]+\/)?[^/]+/.exec(name)[0];

/** Returns the fields of the package that contains `file`. */
function manifestOf(file) {
  const folder = /^.*\/node_modules\/(@[^/]+\/)?[^/]+/.exec(file.replaceAll('\\', '/'))?.[0];
  return folder ? JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) : {};
}

function isJoined(name, file) {
  const { dependencies, peerDependencies } = manifestOf(file);
  return [name, ...Object.keys({ ...dependencies, ...peerDependencies })].some((one) =>
    JOINED.test(one),
  );
}

/** Decides which packages are joined. */
const packages = {
  name: 'packages',
  setup(bundler) {
    bundler.onResolve({ filter: FIRST }, () => ({ path: LATE_PACKAGES, external: true }));
    bundler.onResolve({ filter: /^[^./]/ }, async ({ path, kind, resolveDir, pluginData }) => {
      if (pluginData === 'asked' || kind === 'entry-point') return undefined;
      if (path.startsWith('node:') || builtinModules.includes(path)) return { external: true };
      const from = (folder) =>
        bundler.resolve(path, { kind, resolveDir: folder, pluginData: 'asked' });
      const found = await from(resolveDir);
      // A package that the project does not have, as Nest's own optional ones.
      if (found.errors.length > 0) return { path, external: true };
      if (isJoined(packageOf(path), found.path)) return found;
      // A package inside another one is not found from the bundle.
      const same = (await from(FOLDER)).path === found.path;
      return { path: same ? path : addressOf(found.path), external: true };
    });
  },
};

/** Lets a module find the files beside it: its address is not that of the bundle. */
const addresses = {
  name: 'addresses',
  setup(bundler) {
    bundler.onLoad({ filter: /\.[cm]?js$/ }, ({ path }) => {
      const text = readFileSync(path, 'utf8');
      if (!/import\.meta\.url|\b__(dirname|filename)\b/.test(text)) return undefined;
      const url = `new URL(${JSON.stringify(addressOf(path))}, __bundle).href`;
      const contents = text
        .replaceAll('import.meta.url', url)
        .replaceAll(/\b__filename\b/g, `__pathOf(${url})`)
        .replaceAll(/\b__dirname\b/g, `__pathOf(new URL('.', ${url})).slice(0, -1)`);
      return { contents, resolveDir: dirname(path) };
    });
  },
};

for (const name of readdirSync(FOLDER)) {
  if (name.startsWith('bundle-')) rmSync(join(FOLDER, name));
}
await build({
  entryPoints: [join(FOLDER, 'server.js')],
  outdir: FOLDER,
  allowOverwrite: true,
  bundle: true,
  // A part that the server imports late stays a file of its own.
  splitting: true,
  chunkNames: 'bundle-[hash]',
  format: 'esm',
  platform: 'node',
  target: 'node20',
  // Two classes of one name keep it: Nest's log and the table of migrations show names.
  keepNames: true,
  banner: {
    js: [
      // Before the packages outside, in each file.
      `import '${LATE_PACKAGES}';`,
      "import { createRequire as __createRequire } from 'node:module';",
      "import { fileURLToPath as __pathOf } from 'node:url';",
      'const __bundle = import.meta.url, require = __createRequire(__bundle);',
    ].join('\n'),
  },
  // For `node --enable-source-maps`.
  sourcemap: true,
  sourcesContent: false,
  legalComments: 'none',
  plugins: [packages, addresses],
  logLevel: 'warning',
});

/** The function by which esbuild gives a class or a function its name. */
const NAMING = 'var __name = (target, value) => __defProp(';

// It would also name each arrow function that a request makes, which took a fifth of a guarded request on Node 20.
for (const name of readdirSync(FOLDER).filter((file) => /^(server|bundle-.*)\.js$/.test(file))) {
  const text = readFileSync(join(FOLDER, name), 'utf8');
  const isNamed = '!target.prototype || target.name === value ? target : ';
  writeFileSync(
    join(FOLDER, name),
    text.replace(NAMING, NAMING.replace('__defProp(', `${isNamed}__defProp(`)),
  );
}
