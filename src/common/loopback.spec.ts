import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { setImmediate } from 'node:timers/promises';
import { fastify, type FastifyInstance } from 'fastify';
import { prepareLocalhost } from './loopback.js';
import { closeQuietly } from './quiet-close.js';

const hasIpv6 = Object.values(networkInterfaces()).some((at) =>
  at?.some(({ address }) => address === '::1'),
);
const onIpv6 = hasIpv6 ? it : it.skip;

let app: FastifyInstance;
let port: number;
const sockets: Socket[] = [];
async function start(maxConnections: number): Promise<void> {
  app = fastify();
  closeQuietly(app);
  const listenOnIpv6 = prepareLocalhost(app);
  app.server.maxConnections = maxConnections;
  await app.listen({ port: 0, host: '127.0.0.1' });
  await listenOnIpv6(true);
  ({ port } = app.server.address() as AddressInfo);
}
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await app.close();
});

function open(host: string): Socket {
  const socket = connect(port, host);
  socket.on('error', () => undefined);
  sockets.push(socket);
  return socket;
}

onIpv6('bounds the connections to ::1 like those to 127.0.0.1', async () => {
  await start(10);
  for (const host of ['127.0.0.1', '::1']) {
    const opened = Array.from({ length: 11 }, () => open(host));
    await Promise.race(opened.map((socket) => once(socket, 'close')));
    for (const socket of opened) socket.destroy();
  }
});

onIpv6.each(['127.0.0.1', '::1'])(
  'stops although clients open connections to %s without a pause, and send nothing',
  async (host) => {
    await start(10_000);
    await once(open(host), 'connect');
    const state = { closed: false };
    void app.close().then(() => (state.closed = true));
    const end = performance.now() + 5_000;
    while (!state.closed && performance.now() < end) {
      open(host);
      await setImmediate();
    }
    expect(state.closed).toBe(true);
  },
);
