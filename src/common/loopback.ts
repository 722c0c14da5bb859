import { once } from 'node:events';
import { createServer } from 'node:net';
import type { FastifyInstance } from 'fastify';

/** Replaces a loopback address in `url` by `localhost`: passkeys and cookies work under that name. */
export const withLocalhost = (url: string): string =>
  url.replace(/127\.0\.0\.1|\[::1\]/, 'localhost');

/**
 * Makes `fastify` listen on both addresses of `localhost`, because a client may try ::1 alone. Connections to
 * ::1 go to the one HTTP server, so all its limits and events apply to them. A machine may have no IPv6.
 *
 * @returns a function to call when the server listens on 127.0.0.1. It throws if another program has the port
 *   on ::1, unless the system chose the port (`chosen`).
 */
export function prepareLocalhost(fastify: FastifyInstance): (chosen: boolean) => Promise<void> {
  const { server } = fastify;
  // The options that an HTTP server uses for its own listener.
  const options = { allowHalfOpen: true, noDelay: true };
  const listener = createServer(options, (socket) => server.emit('connection', socket));
  let closed: Promise<unknown> | undefined;
  fastify.addHook('onClose', async () => {
    await closed;
  });
  return async (chosen) => {
    const address = server.address();
    if (address === null || typeof address === 'string') return;
    listener.maxConnections = server.maxConnections;
    listener.listen({ host: '::1', port: address.port });
    try {
      await once(listener, 'listening');
      closed = once(listener, 'close');
      fastify.furtherListeners.push(listener);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      const missing = code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT';
      if (!missing && !(chosen && code === 'EADDRINUSE')) throw error;
    }
  };
}
