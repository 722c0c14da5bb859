/**
 * The last step of `npm run build`: joins the server's modules, and the packages of Nest, into a few files. Node would
 * look for, read and link more than a thousand files at each start.
 *
 * The entry replaces `dist/src/server.js`, and the compiled modules stay beside it for commands and tests. The
 * compiler writes all files anew, so no bundle outlives its sources. Without this step the server starts the same, but
 * slower.
 */
import {
  existsSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { build } from 'esbuild';

const ROOT = dirname(import.meta.dirname);
const FOLDER = join(ROOT, 'dist/src');

/**
 * The packages whose many small files are joined. A package that depends on one of them is joined too, and one that
 * depends on Nest through others, because each class must exist once. All other packages stay outside: some have native
 * parts, threads or files of their own.
 */
const JOINED = /^(@nestjs\/|zod$|rxjs$|preact)/;

/** The module that has to run before the packages outside are loaded. */
const LATE_PACKAGES = './common/late-packages.js';
const FIRST = /\/late-packages\.js$/;

/** Returns the address of a file, relative to the bundle. */
const addressOf = (file) => relative(FOLDER, file).replaceAll('\\', '/');

const packageOf = (name) => /^(@[^/]+\/)?[^/]+/.exec(name)[0];

const readManifest = (folder) => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));

/** Returns the nearest of a folder and those above it that `suits`. */
function nearest(folder, suits) {
  if (suits(folder)) return folder;
  const above = dirname(folder);
  return above === folder ? undefined : nearest(above, suits);
}

/** Returns the folder of the package that contains `file`. A folder of a package may have a nameless manifest too. */
const packageFolderOf = (file) =>
  nearest(dirname(file), (folder) => {
    const exists = existsSync(join(folder, 'package.json'));
    return exists && readManifest(folder).name !== undefined;
  });

const namesOf = ({ dependencies, peerDependencies }) =>
  Object.keys({ ...dependencies, ...peerDependencies });

/** What {@link needsNest} knows, by the folder of the package. */
const known = new Map();

/** Tells whether a package needs Nest, directly or through others. */
function needsNest(folder) {
  if (known.has(folder)) return known.get(folder);
  // For packages that need each other.
  known.set(folder, false);
  const names = namesOf(readManifest(folder));
  const isNear = names.some((name) => name.startsWith('@nestjs/'));
  const isFar = (name) => {
    const inside = join('node_modules', name);
    const above = nearest(folder, (one) => existsSync(join(one, inside, 'package.json')));
    return above !== undefined && needsNest(realpathSync(join(above, inside)));
  };
  known.set(folder, isNear || names.some(isFar));
  return known.get(folder);
}

function isJoined(name, file) {
  if (JOINED.test(name)) return true;
  const folder = packageFolderOf(file);
  if (folder === undefined) return false;
  return namesOf(readManifest(folder)).some((one) => JOINED.test(one)) || needsNest(folder);
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

/** Replaces each module's address, which is not that of the bundle: it may look for files beside it. */
const addresses = {
  name: 'addresses',
  setup(bundler) {
    bundler.onLoad({ filter: /\.[cm]?js$/ }, ({ path }) => {
      const text = readFileSync(path, 'utf8');
      if (!/\bimport\.meta\b|\b__(dirname|filename)\b/.test(text)) return undefined;
      const meta = `const __meta = __metaOf(${JSON.stringify(addressOf(path))});`;
      // On the same line, so that the lines of the source map stay right.
      return { contents: `${meta} ${text}`, resolveDir: dirname(path) };
    });
  },
};

/** Returns `import.meta` of a module, by its address relative to the bundle. */
const META = `function __metaOf(address) {
  const { href: url } = new URL(address, __bundle.url), filename = __pathOf(url);
  const isFile = (name) => /^\\.{0,2}\\//.test(name);
  const resolve = (name) => (isFile(name) ? new URL(name, url).href : __bundle.resolve(name));
  return { url, filename, dirname: __folderOf(filename), resolve };
}`;

/** esbuild replaces these names only if the module does not declare them itself. */
const define = {
  'import.meta': '__meta',
  __filename: '__meta.filename',
  __dirname: '__meta.dirname',
};

for (const name of readdirSync(FOLDER)) {
  if (name.startsWith('bundle-')) rmSync(join(FOLDER, name));
}
const { metafile } = await build({
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
  define,
  banner: {
    js: [
      // Before the packages outside, in each file.
      `import '${LATE_PACKAGES}';`,
      "import { createRequire as __createRequire } from 'node:module';",
      "import { dirname as __folderOf } from 'node:path';",
      "import { fileURLToPath as __pathOf } from 'node:url';",
      'const __bundle = import.meta, require = __createRequire(__bundle.url);',
      META,
    ].join('\n'),
  },
  // For `node --enable-source-maps`.
  sourcemap: true,
  sourcesContent: false,
  legalComments: 'none',
  plugins: [packages, addresses],
  logLevel: 'warning',
  metafile: true,
});

/** The joined packages and their versions, so that `npm start` notices an update of one. */
const joined = {};
for (const input of Object.keys(metafile.inputs)) {
  const folder = packageFolderOf(resolve(input));
  if (folder !== undefined && folder !== ROOT)
    joined[addressOf(folder)] = readManifest(folder).version;
}
writeFileSync(join(FOLDER, 'bundle-packages.json'), `${JSON.stringify(joined, null, 2)}\n`);

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
