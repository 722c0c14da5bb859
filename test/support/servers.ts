import { type Server, startServer } from './server.js';

/** Starts servers on one database, that of the first, and stops them after each test. */
export function siblings() {
  const servers: Server[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0).reverse()) await server.stop();
  });
  return async (settings: Record<string, string> = {}): Promise<Server> => {
    const shared = servers[0] && { DATABASE_URL: servers[0].database.url };
    const server = await startServer({ ...shared, ...settings });
    servers.push(server);
    return server;
  };
}
