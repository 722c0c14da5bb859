import { type FreshRedis, freshRedis, redisServer } from './redis.js';
import { GOOD_PASSWORD, type Server, startServer } from './server.js';

/** Puts a proxy before the server, so that a test says where a request comes from. */
export const LIMITED = { NODE_ENV: 'test', TRUST_PROXY: '1', RATE_LIMITS: 'login=1000/1m' };

/** The address of a client. */
export const HOME = '198.51.100.1';

let lastAddress = 0;
/** The address of a client that has sent nothing yet. */
export const newAddress = () => `203.0.${Math.floor(++lastAddress / 250)}.${lastAddress % 250}`;

export const post = (server: Server, path: string, body: unknown, from: string) =>
  server.http
    .post(path)
    .set('x-forwarded-for', from)
    .send(body as object);
export const login = (server: Server, username: string, password: string, from: string) =>
  post(server, '/login', { username, password }, from);
export const statusOf = async (answer: PromiseLike<{ status: number }>) => (await answer).status;

/** The status of a login with a wrong password. */
export const wrong = (server: Server, username: string, from: string) =>
  statusOf(login(server, username, 'wrong password', from));
/** The status of a login with the right password. */
export const right = (server: Server, username: string, from: string) =>
  statusOf(login(server, username, GOOD_PASSWORD, from));

/** How often each status is among `statuses`. */
export function tally(statuses: number[]): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const status of statuses) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

/** Does `work` so many times at once. */
export const times = <T>(count: number, work: (index: number) => Promise<T>) =>
  Promise.all(Array.from({ length: count }, (_, index) => work(index)));

/** Where limits can be counted on this machine. */
export const STORES = redisServer ? ['memory', 'redis'] : ['memory'];

/** Starts servers that count in `store`, each apart from all others, and stops them after each test. */
export function limitedServers(store: string) {
  const redises: FreshRedis[] = [];
  const servers: Server[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.stop();
    for (const redis of redises.splice(0)) await redis.drop();
  });
  return async (settings: Record<string, string> = {}): Promise<Server> => {
    const redis = store === 'redis' ? freshRedis() : undefined;
    if (redis) redises.push(redis);
    const url = redis && { REDIS_URL: redis.url };
    const server = await startServer({ ...LIMITED, ...url, ...settings });
    servers.push(server);
    return server;
  };
}
