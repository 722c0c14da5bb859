import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { Redis } from 'ioredis';

/** The Redis server that tests may write to; undefined where there is none. */
export const redisServer = process.env.TEST_REDIS_URL;

/** A corner of the Redis server, empty at first; `drop` empties it again. */
export interface FreshRedis {
  /** For `REDIS_URL`. */
  url: string;
  keys(): Promise<string[]>;
  /** Makes commands that count in `key` fail. */
  spoil(key: string): Promise<void>;
  drop(): Promise<void>;
}

export function freshRedis(): FreshRedis {
  const prefix = `latchkey-test-${randomBytes(8).toString('hex')}:`;
  const url = new URL(redisServer ?? '');
  url.searchParams.set('keyPrefix', prefix);
  const client = new Redis(redisServer ?? '', { lazyConnect: true });
  const keys = () => client.keys(`${prefix}*`);
  return {
    url: url.href,
    keys,
    spoil: async (key) => {
      await client.multi().del(key).lpush(key, 'spoiled').exec();
    },
    drop: async () => {
      const left = await keys();
      if (left.length > 0) await client.del(left);
      client.disconnect();
    },
  };
}

/** Stands before a Redis server, which it can cut off as a killed one, or silence as a stuck one. */
export async function proxyOf(url: string) {
  const target = new URL(url);
  const sockets = new Set<Socket>();
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket));
    return socket;
  };
  let silent = false;
  const server = createServer((client) => {
    const upstream = keep(connect(Number(target.port || 6379), target.hostname));
    keep(client).on('data', (data) => {
      if (!silent) upstream.write(data);
    });
    upstream.on('data', (data) => {
      if (!silent) client.write(data);
    });
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
  });
  const listen = async (port: number) => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  const port = await listen(0);
  const here = new URL(url);
  here.host = `127.0.0.1:${port}`;
  return {
    url: here.href,
    /** As a killed server: connections end, new ones are refused. */
    async kill() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
    /** As a server started again. */
    restart: () => listen(port),
    /** As a stopped process: connections stay, and new ones are taken, but nothing is answered. */
    silence(now: boolean) {
      silent = now;
    },
  };
}
