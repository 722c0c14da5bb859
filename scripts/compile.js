/** Compiles the sources one by one, without a look at their types: in a fraction of the compiler's time. */
import { cpSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { transformFile } from '@swc/core';
import { compiledName, isSource } from './sources.js';

const { jsc, ...options } = JSON.parse(readFileSync(new URL('../.swcrc', import.meta.url), 'utf8'));

/** The compiler's options for sources with elements (`.tsx`). Those of all others are in `.swcrc`. */
const tsx = {
  ...options,
  swcrc: false,
  jsc: {
    ...jsc,
    parser: { ...jsc.parser, tsx: true },
    transform: { ...jsc.transform, react: { runtime: 'automatic', importSource: 'preact' } },
  },
};

/** The path of the source is for stack traces. Modules for browsers are served, so they have no source map inside. */
const optionsFor = (file, to) => ({
  sourceFileName: relative(dirname(to), file),
  ...(file.endsWith('.tsx') && tsx),
  ...(file.endsWith('.browser.ts') && { sourceMaps: false }),
});

/** Compiles a source, or removes what was compiled of one that is gone. @returns whether it could be read */
export async function compile(file) {
  const to = compiledName(file);
  if (!existsSync(file)) {
    rmSync(to, { force: true });
    return true;
  }
  try {
    await mkdir(dirname(to), { recursive: true });
    // What is JavaScript already keeps its comments, which the type checker reads. Tests read other files.
    if (!/\.tsx?$/.test(file)) await copyFile(file, to);
    else {
      const { code } = await transformFile(file, optionsFor(file, to));
      await writeFile(to, code);
    }
    return true;
  } catch (error) {
    console.error(error.message);
    return false;
  }
}

export const copyTemplates = () => cpSync('templates', 'dist/templates', { recursive: true });

/** The files in a folder and in those below it. */
const filesIn = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));

/** Compiles the server into an empty `dist`. @returns whether all sources could be read */
export async function compileAll() {
  rmSync('dist', { recursive: true, force: true });
  const compiled = await Promise.all(
    [...filesIn('src').filter(isSource), 'ormconfig.ts'].map(compile),
  );
  copyTemplates();
  return compiled.every(Boolean);
}

/** Compiles the tests beside the server, and copies what they read. @returns whether all could be read */
export async function compileTests() {
  const beside = filesIn('src').filter((file) => !isSource(file));
  const files = [...beside, ...filesIn('test'), ...filesIn('scripts')];
  const compiled = await Promise.all(files.map(compile));
  return compiled.every(Boolean);
}
