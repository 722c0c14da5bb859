import { createRequire } from 'node:module';
import type { FastifyServerOptions } from 'fastify';

type Options = NonNullable<FastifyServerOptions['schemaController']>;
type Compilers = Required<NonNullable<Options['compilersFactory']>>;

const require = createRequire(import.meta.url);
/** Returns a compiler's factory that loads its package, from where Fastify finds it, when it is called. */
const lazily =
  (name: string) =>
  (...args: unknown[]): unknown => {
    const load = createRequire(require.resolve('fastify'));
    const factory = load(name) as () => (...args: unknown[]) => unknown;
    return factory()(...args);
  };

/**
 * Fastify's compilers of JSON schemas, loaded with the first route that declares one by `@RouteSchema`. The
 * routes here have zod schemas, and loading the compilers takes a tenth of a start. Fastify takes them for an
 * application's own, so it leaves a schema of headers as it is: write the names in lower case.
 */
export const lazyCompilers: Compilers = {
  buildValidator: lazily('@fastify/ajv-compiler') as Compilers['buildValidator'],
  buildSerializer: lazily('@fastify/fast-json-stringify-compiler') as Compilers['buildSerializer'],
};
