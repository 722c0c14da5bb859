import type { FastifyInstance } from 'fastify';
import findMyWay, { type HTTPMethod } from 'find-my-way';

declare module 'fastify' {
  interface FastifyInstance {
    /** Returns the methods of the routes at the address of a request; none if there are no routes. */
    allowedMethods(request: FastifyRequest): string[];
  }
}

/**
 * Makes `fastify` tell which methods an address takes. Fastify keeps its routes to itself, so this asks a
 * second router of the same kind. A route for a whole tree, such as `/docs/*`, is left out, because it does
 * not describe one address. Call this before the routes are made.
 */
export function provideAllowedMethods(fastify: FastifyInstance): void {
  const router = findMyWay();
  const methods = new Set<HTTPMethod>();
  /** Routes that the router does not have yet: most servers start and are never asked. */
  const waiting: { method: HTTPMethod; url: string }[] = [];
  fastify.addHook('onRoute', ({ method, url }) => {
    if (url.includes('*')) return;
    for (const one of [method].flat() as HTTPMethod[]) waiting.push({ method: one, url });
  });
  fastify.decorate('allowedMethods', ({ raw: { url = '' } }) => {
    for (const { method, url } of waiting.splice(0)) {
      if (router.hasRoute(method, url)) continue;
      methods.add(method);
      router.on(method, url, () => undefined);
    }
    const found = [...methods].filter((method) => router.find(method, url) !== null);
    return found.length === 0 ? [] : [...new Set([...found, 'OPTIONS'])].sort();
  });
}
