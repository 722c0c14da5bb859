import { createRequire } from 'node:module';

const require = createRequire(import.meta.url) as (name: string) => unknown;

/**
 * Returns a function that loads a package at its first call, and not at the start. The call is synchronous: use it
 * for packages that have a CommonJS form, and `import()` for the others.
 */
export function lazyPackage(name: string): () => unknown {
  let loaded: unknown;
  return () => (loaded ??= require(name));
}
