import { once } from 'node:events';
import { createServer } from 'node:net';
import type { FastifyInstance } from 'fastify';

/** Says `localhost` for a loopback address in `url`: passkeys and cookies work under that name. */
export const withLocalhost = (url: string): string =>
  url.replace(/127\.0\.0\.1|\[::1\]/, 'localhost');

/**
 * Makes `fastify` able to listen on both addresses of `localhost`: a client may try ::1 alone.
 * Connections to ::1 go to the one HTTP server, so that all its limits and events apply to them.
 *
 * @returns a function to call when the server listens on 127.0.0.1. It throws if another program has
 *   the port on ::1, unless the port was `chosen` by the system. Machines may have no IPv6.
 */
export function prepareLocalhost(fastify: FastifyInstance): (chosen: boolean) => Promise<void> {
  const { server } = fastify;
  // As an HTTP server makes its own.
  const options = { allowHalfOpen: true, noDelay: true };
  const listener = createServer(options, (socket) => server.emit('connection', socket));
  let closed: Promise<unknown> | undefined;
  fastify.addHook('preClose', (done) => {
    if (listener.listening) {
      closed = once(listener, 'close');
      listener.close();
    }
    done();
  });
  fastify.addHook('onClose', async () => {
    await closed;
  });
  return async (chosen) => {
    const address = server.address();
    if (address === null || typeof address === 'string') return;
    listener.listen({ host: '::1', port: address.port });
    try {
      await once(listener, 'listening');
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      const missing = code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT';
      if (!missing && !(chosen && code === 'EADDRINUSE')) throw error;
    }
  };
}
