import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A TCP proxy before a server, that can break. */
export type FaultProxy = Awaited<ReturnType<typeof startFaultProxy>>;

/** Listens on a free port of 127.0.0.1 and passes everything on to `port` of `host`. */
export async function startFaultProxy(port: number, host = '127.0.0.1') {
  const sockets = new Set<Socket>();
  let silent = false;
  let delay = 0;
  let refusing = false;

  const pass = (from: Socket, to: Socket, wait: () => number) => {
    from.on('data', (chunk: Buffer) => {
      if (silent) return;
      const ms = wait();
      if (ms === 0) to.write(chunk);
      else setTimeout(() => !to.destroyed && to.write(chunk), ms);
    });
    from.on('close', () => to.destroy());
    from.on('error', () => to.destroy());
    sockets.add(from);
    from.on('close', () => sockets.delete(from));
  };
  const server = createServer((client) => {
    const upstream = connect(port, host);
    pass(client, upstream, () => 0);
    pass(upstream, client, () => delay);
  });
  const listen = async (at: number) => {
    server.listen(at, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  const own = await listen(0);
  const cut = () => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  const refuse = async () => {
    if (refusing) return;
    refusing = true;
    server.close();
    cut();
    await once(server, 'close');
  };

  return {
    port: own,
    cut,
    /** Nobody is there any more. */
    refuse,
    /** Takes everything and passes nothing on, of old connections and of new ones. */
    silence() {
      silent = true;
    },
    /** Answers come this much later, in milliseconds. */
    delay(ms: number) {
      delay = ms;
    },
    /** All is well again; what was swallowed stays so, its connections are as dead as ever. */
    async heal() {
      silent = false;
      delay = 0;
      if (refusing) await listen(own);
      refusing = false;
    },
    /** Ends it, with all connections. */
    async close() {
      if (!refusing) await refuse();
    },
  };
}
