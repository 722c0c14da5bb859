import { Controller, Get, Module, Post } from '@nestjs/common';
import { guardByDefault } from '../src/auth/guard-by-default.js';
import { Public } from '../src/common/public.js';
import { declaredRoutes } from './support/own-routes.js';
import { GOOD_PASSWORD, type Server, startServer } from './support/server.js';

/** A controller whose author forgot the guard. */
@Controller('test-open')
class OpenController {
  @Get()
  list() {
    return ['open'];
  }

  @Public()
  @Post('hello')
  hello() {
    return { hello: 'anybody' };
  }
}

@Module({ controllers: [OpenController] })
class OpenModule {}

@Module({ controllers: [OpenController], providers: [guardByDefault] })
class GuardedByDefaultModule {}

/** The routes that answer without a token although their code does not say so, each with what to do. */
async function openRoutes({ app, url }: Server): Promise<string[]> {
  const open: string[] = [];
  for (const { route, controller, isPublic } of declaredRoutes(app)) {
    const [method = '', path = ''] = route.split(' ');
    if (isPublic || method === 'ALL') continue;
    // Two at once: the tests' own /test-pairs lets nobody through alone.
    const asked = [1, 2].map(() => fetch(url + path, { method }));
    const [{ status } = { status: 0 }] = await Promise.all(asked);
    if (status === 401 || status === 403) continue;
    open.push(
      `${route} of ${controller} answers ${status} without a token. Guard it by ` +
        '@UseGuards(JwtAuthGuard), or allow it by @Public() of src/common/public.ts.',
    );
  }
  return open;
}

it('no route answers without a token, but those that are marked @Public()', async () => {
  const server = await startServer();
  try {
    expect(await openRoutes(server)).toEqual([]);
  } finally {
    await server.stop();
  }
});

it('a route without a guard is named, with a sentence that says how to allow it', async () => {
  const server = await startServer({}, (builder) => builder, [OpenModule]);
  try {
    expect(await openRoutes(server)).toEqual([
      'GET /test-open of OpenController answers 200 without a token. Guard it by ' +
        '@UseGuards(JwtAuthGuard), or allow it by @Public() of src/common/public.ts.',
    ]);
  } finally {
    await server.stop();
  }
});

it('guardByDefault closes routes without a guard, and opens @Public() ones even for a bad token', async () => {
  const server = await startServer({}, (builder) => builder, [GuardedByDefaultModule]);
  try {
    await server.register('ada');
    const { jwt, refresh_token } = await server.login('ada');
    const refused = await server.get('/test-open');
    expect([refused.status, refused.body]).toEqual([
      401,
      { msg: 'Missing Authorization Header', code: 'missing_authorization' },
    ]);
    expect((await server.get('/test-open', `Bearer ${jwt}`)).body).toEqual(['open']);
    for (const token of [undefined, 'Bearer nonsense', `Bearer ${jwt}`]) {
      const post = (path: string, body: object) => {
        const asked = server.http.post(path);
        return (token === undefined ? asked : asked.set('authorization', token)).send(body);
      };
      expect((await post('/test-open/hello', {})).body).toEqual({ hello: 'anybody' });
      const login = await post('/login', { username: 'ada', password: GOOD_PASSWORD });
      expect(login.status).toBe(200);
    }
    await server.http.post('/refresh').send({ refresh_token }).expect(200);
    for (const path of ['/health/live', '/.well-known/jwks.json', '/openapi.json']) {
      expect([path, (await server.get(path)).status]).toEqual([path, 200]);
    }
    await server.http.post('/logout').expect(401);
    await server.http.post('/logout').auth(jwt, { type: 'bearer' }).expect(204);
    // A guard that a route brings along stays where it is.
    expect(await openRoutes(server)).toEqual([]);
  } finally {
    await server.stop();
  }
});
