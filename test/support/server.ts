import 'reflect-metadata';
import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import type { Type } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test, type TestingModuleBuilder } from '@nestjs/testing';
import request from 'supertest';
import type { DataSource } from 'typeorm';
import { appModule, createAdapter, setupApp } from '../../src/app.setup.js';
import { Config } from '../../src/config/config.js';
import { TestCatsModule } from './test-cats.module.js';
import { type FreshDatabase, freshDatabase, onDatabase } from './databases.js';

/** A password that the policy takes. */
export const GOOD_PASSWORD = 'correct horse battery staple';

/** The secret that test servers sign with, good enough for one in production. */
export const SECRET = randomBytes(64).toString('base64url');

/** Seconds since 1970, as tokens count. */
export const now = () => Math.floor(Date.now() / 1000);

/** A listening Latchkey on a database of its own. */
export type Server = Awaited<ReturnType<typeof startServer>>;

/**
 * Starts Latchkey in this process, on a free port and a fresh database, with the cats beside it.
 * `settings` may be made for that database; `modules` are a project's own. (That servers run the migrations: `instances.e2e-spec`.)
 */
export async function startServer(
  settings:
    Record<string, string> | ((database: FreshDatabase) => Promise<Record<string, string>>) = {},
  adapt: (builder: TestingModuleBuilder) => TestingModuleBuilder = (builder) => builder,
  modules: Type[] = [],
) {
  const database = await freshDatabase({ migrated: true });
  const begin = async () => {
    const config = Config.load({
      NODE_ENV: 'test',
      PORT: '0',
      DATA_DIR: database.dataDir,
      DATABASE_URL: database.url,
      JWT_SECRET_KEY: SECRET,
      BCRYPT_COST: '4',
      ...(typeof settings === 'function' ? await settings(database) : settings),
    });
    const log: Record<string, unknown>[] = [];
    const write = (line: string) => {
      log.push(JSON.parse(line) as Record<string, unknown>);
    };
    const builder = Test.createTestingModule({
      imports: [appModule(config), TestCatsModule, ...modules],
    });
    const module = await adapt(builder).compile();
    const app = module.createNestApplication<NestFastifyApplication>(
      createAdapter(config, { write }),
      { bodyParser: false },
    );
    await setupApp(app, config);
    await app.listen(0, '127.0.0.1');
    return { config, log, app };
  };
  const { config, log, app } = await begin().catch(async (error: unknown) => {
    // The half-started server may still write to the folder.
    await database.drop().catch(() => undefined);
    throw error;
  });
  const { port } = app.getHttpServer().address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const http = request(url);

  return {
    app,
    config,
    database,
    http,
    log,
    port,
    url,

    /** Asks for `path`, with an `Authorization` header where one is given. */
    get(path: string, authorization?: string) {
      const asked = http.get(path);
      return authorization === undefined ? asked : asked.set('authorization', authorization);
    },

    /** Sends JSON to `path`. */
    post: (path: string, body: object) => http.post(path).send(body),

    /** Begins a request with an access token. */
    ask: (method: 'get' | 'put' | 'patch' | 'delete' | 'post', path: string, jwt: string) =>
      http[method](path).set('authorization', `Bearer ${jwt}`),

    /** Registers a user; resolves to the answer's body. */
    async register(username: string, password = GOOD_PASSWORD, email?: string) {
      const response = await http.post('/register').send({ username, password, email });
      if (response.status !== 201) throw new Error(`register: ${JSON.stringify(response.body)}`);
      return response.body as { id: string; username: string };
    },

    /** Logs in; resolves to the tokens. */
    async login(username: string, password = GOOD_PASSWORD) {
      const response = await http.post('/login').send({ username, password });
      if (response.status !== 200) throw new Error(`login: ${JSON.stringify(response.body)}`);
      return response.body as { jwt: string; refresh_token: string };
    },

    /** Runs `work` on a connection of its own, as another program would. */
    withDatabase<T>(work: (dataSource: DataSource) => Promise<T>): Promise<T> {
      return onDatabase(config.databaseUrl, work);
    },

    /** Stops the server; its database stays for a look. */
    async stop() {
      await app.close();
      await database.drop();
    },
  };
}
