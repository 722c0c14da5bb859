import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { Logger } from '@nestjs/common';
import { RedisConnection } from './redis-connection.js';

/** Answers like a Redis that has become a replica: it takes reads and refuses writes. */
const replica = (socket: Socket): void => {
  socket.on('error', () => undefined);
  socket.on('data', (data) => {
    const info = 'role:slave\r\nloading:0\r\n';
    for (const [, name = ''] of data.toString().matchAll(/\*\d+\r\n\$\d+\r\n(\w+)\r\n/g)) {
      if (/^info$/i.test(name)) socket.write(`$${info.length}\r\n${info}\r\n`);
      else if (/^set$/i.test(name)) {
        socket.write("-READONLY You can't write against a read only replica.\r\n");
      } else socket.write('+OK\r\n');
    }
  });
};

it('leaves a server that has become a replica, and connects anew', async () => {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    replica(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const redis = new RedisConnection(`redis://127.0.0.1:${port}`, new Logger());
  try {
    await redis.open();
    const again = once(server, 'connection');
    await expect(redis.client.set('count', 1)).rejects.toThrow('READONLY');
    await again;
    expect(sockets.length).toBe(2);
  } finally {
    redis.close();
    for (const socket of sockets) socket.destroy();
    server.close();
  }
});
