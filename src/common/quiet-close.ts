import { Server, type Socket } from 'node:net';
import { setImmediate, setTimeout } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';

declare module 'fastify' {
  interface FastifyInstance {
    /** Further listeners whose connections go to `server`. They stop with it; see {@link closeQuietly}. */
    furtherListeners: Server[];
  }
}

/** The longest wait for a quiet turn, in milliseconds. */
const MAX_WAIT = 1_000;

/** The longest turn of the event loop in which nothing can have been done, in milliseconds. */
const QUIET = 0.25;

/** How long a proxy may take to send a request on a connection that it has just opened, in milliseconds. */
const FIRST_BYTE = 100;

/**
 * Calls `close` right after a turn of the event loop in which `server` had nothing to do. When a listener closes, the
 * system resets the connections that still wait to be accepted; when a connection closes, a request on it that was not
 * read is lost. A proxy would not send a lost POST again. While this waits for such a turn, it accepts new connections
 * but reads nothing from them, so that the turns become short.
 */
async function atQuietTurn(server: Server, close: () => void): Promise<void> {
  const held: Socket[] = [];
  const hold = (socket: Socket) => held.push(socket);
  server.on('connection', hold);
  // A whole turn goes from one immediate to the next: the first may come before Node has looked at its sockets.
  await setImmediate();
  let [now, isQuiet] = [performance.now(), false];
  const end = now + MAX_WAIT;
  while (!isQuiet && now < end) {
    const [start, before] = [now, held.length];
    await setImmediate();
    // Not at once: Node still has to resume them by itself.
    for (const socket of held.slice(before)) socket.pause();
    now = performance.now();
    isQuiet = held.length === before && now - start < QUIET;
  }
  close();
  server.off('connection', hold);
  for (const socket of held) socket.resume();
}

/**
 * Makes `fastify` stop listening at a quiet turn. Then closes the connections that have carried no byte, as browsers
 * open them in advance: Node closes only those that are idle after a request, and would wait for these.
 */
export function closeQuietly(fastify: FastifyInstance): void {
  const { server } = fastify;
  const open = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  finishUnread(server, open);
  fastify.decorate('furtherListeners', []);
  fastify.addHook('preClose', async () => {
    await atQuietTurn(server, () => {
      // The close of an HTTP server would first go through all its connections.
      for (const one of [server, ...fastify.furtherListeners]) Server.prototype.close.call(one);
      server.closeIdleConnections();
    });
    const unused = () => [...open].filter(({ bytesRead }) => bytesRead === 0);
    if (unused().length === 0) return;
    await setTimeout(FIRST_BYTE);
    // Before an immediate, Node reads all that has arrived.
    await setImmediate();
    for (const socket of unused()) socket.destroy();
  });
}

/**
 * Lets clients read their answers to the end when `server` closes its idle connections. For Node, a connection is idle
 * once its answer is complete, although the client may not have read it yet.
 */
function finishUnread(server: FastifyInstance['server'], open: Set<Socket>): void {
  const closeIdle = server.closeIdleConnections.bind(server);
  server.closeIdleConnections = () => {
    const unread = [...open].filter(({ writableLength }) => writableLength > 0);
    const idle: Socket[] = [];
    for (const socket of unread) {
      socket.destroy = () => {
        idle.push(socket);
        return socket;
      };
    }
    closeIdle();
    for (const socket of unread) Reflect.deleteProperty(socket, 'destroy');
    for (const socket of idle) socket.destroySoon();
  };
}
