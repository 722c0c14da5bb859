import { once } from 'node:events';
import { connect } from 'node:net';
import type { ApiError } from '../src/common/api-error.js';
import { AuthHooks } from '../src/auth/hooks.js';
import { User } from '../src/users/user.entity.js';
import { UserChangesService } from '../src/users/user-changes.service.js';
import { now, type Server, startServer } from './support/server.js';
import { forge } from './support/tokens.js';

let server: Server;
let token: string;
let userId: string;
beforeAll(async () => {
  server = await startServer();
  ({ id: userId } = await server.register('Ada'));
  ({ jwt: token } = await server.login('ada'));
});
afterAll(() => server.stop());

describe('a controller of one’s own', () => {
  it('is guarded by one import and one decorator', async () => {
    expect((await server.get('/test-cats')).status).toBe(401);
    const response = await server.get('/test-cats', `Bearer ${token}`);
    expect(response.body).toEqual({
      owner: { id: userId, username: 'Ada', roles: [] },
      cats: ['Tom'],
      plan: null,
    });
  });

  it('has its bodies validated', async () => {
    const adopt = async (body: object) => {
      const response = await server.http
        .post('/test-cats')
        .auth(token, { type: 'bearer' })
        .send(body);
      return [response.status, response.body as unknown];
    };
    expect(await adopt({ name: 'Tom', owner: 'Eve' })).toEqual([
      201,
      { owner: 'Ada', name: 'Tom' },
    ]);
    expect(await adopt({})).toEqual([
      400,
      { msg: 'Missing name parameter', code: 'missing_parameter' },
    ]);
    expect(await adopt({ name: { $ne: 1 } })).toEqual([
      400,
      { msg: 'The name has to be a string', code: 'invalid_parameter' },
    ]);
  });

  it('asks for a role', async () => {
    const feed = (jwt?: string) => {
      const request = server.http.post('/test-cats/feed');
      return jwt === undefined ? request : request.auth(jwt, { type: 'bearer' });
    };
    expect((await feed()).status).toBe(401);
    const refused = await feed(token);
    expect([refused.status, refused.body]).toEqual([
      403,
      { msg: 'You are not allowed to do this', code: 'forbidden' },
    ]);
    const { id } = await server.register('Keeper');
    await server.app.get(UserChangesService, { strict: false }).setRoles(id, ['keeper']);
    const { jwt: keeper } = await server.login('keeper');
    expect((await feed(keeper)).status).toBe(201);
  });

  it('lets anonymous visitors in where the guard is optional, but no bad token', async () => {
    const visit = async (value?: string) =>
      (await server.get('/test-visitors', value)).body as object;
    expect(await visit()).toEqual({ visitor: 'anonymous' });
    expect(await visit(`Bearer ${token}`)).toEqual({ visitor: 'Ada' });
    expect(await visit('Bearer nope')).toMatchObject({ code: 'token_malformed' });
    expect(await visit('Bearer')).toMatchObject({ code: 'malformed_authorization' });
    expect(await visit(`Bearer ${token} x`)).toMatchObject({ code: 'malformed_authorization' });
    expect(await visit(token)).toMatchObject({ code: 'malformed_authorization' });
  });
});

it('lets a request through as anonymous whose header is of another scheme', async () => {
  for (const value of [
    'Basic YTpi',
    'basic',
    'Digest username="x"',
    'Negotiate YII=',
    `X ${token}`,
  ]) {
    const response = await server.get('/test-visitors', value);
    expect([value, response.status, response.body]).toEqual([value, 200, { visitor: 'anonymous' }]);
  }
});

it('has a strategy that, asked by its name, lets nobody in who was signed out', async () => {
  await server.register('Leaving');
  const { jwt: leaving } = await server.login('leaving');
  const ask = async (value?: string) => (await server.get('/test-by-name', value)).status;
  expect(await ask()).toBe(401);
  expect(await ask(`Bearer ${leaving}x`)).toBe(401);
  expect(await ask(`Bearer ${leaving}`)).toBe(200);
  await server.http.post('/logout').auth(leaving, { type: 'bearer' }).expect(204);
  expect(await ask(`Bearer ${leaving}`)).toBe(401);
});

describe('two tokens that are verified at the same moment', () => {
  let other: string;
  beforeAll(async () => {
    await server.register('Bob');
    ({ jwt: other } = await server.login('bob'));
  });
  /** Both users' tokens, as nobody has sent them yet: no memory of them is asked. */
  let unseen = 0;
  const fresh = () =>
    [token, other].map((known) => `Bearer ${forge(known, { jti: `unseen-${unseen++}` })}`);

  it('stay with the requests that brought them', async () => {
    const ask = (values: string[]) =>
      Promise.all(
        values.map(async (value) => {
          const { status, text } = await server.get('/test-pairs', value);
          return status === 200 ? text : status;
        }),
      );
    expect(await ask(fresh())).toEqual(['Ada', 'Bob']);
    const [ada = '', bob = ''] = fresh();
    expect(await ask([ada, `${bob}x`])).toEqual(['Ada', 401]);
    expect(await ask([`${ada}x`, bob])).toEqual([401, 'Bob']);
  });

  it('stay with them in one connection’s pipeline', async () => {
    const [first = '', second = ''] = fresh();
    const lines = (value: string, ...more: string[]) =>
      ['GET /test-visitors HTTP/1.1', 'Host: x', `Authorization: ${value}`, ...more, '', ''].join(
        '\r\n',
      );
    const socket = connect(server.port, '127.0.0.1');
    let answer = '';
    socket.on('data', (data) => (answer += data.toString()));
    socket.write(lines(first) + lines(second, 'Connection: close'));
    await once(socket, 'close');
    expect(answer.match(/"visitor":"\w+"/g)).toEqual(['"visitor":"Ada"', '"visitor":"Bob"']);
  });
});

describe('the hooks of a project', () => {
  class OwnHooks extends AuthHooks {
    override claims(user: User) {
      return { plan: `plan of ${user.username}`, sub: 'evil', roles: ['admin'], exp: 1 };
    }
    override expiredToken(error: ApiError) {
      return { status: 419, body: { oops: 'expired', code: error.code } };
    }
    override invalidToken() {
      return { status: 400, body: { oops: 'invalid' } };
    }
    override missingToken() {
      return { status: 403, body: { oops: 'missing' } };
    }
  }

  it('adds claims, replaces none, and words the refusals', async () => {
    const other = await startServer({}, (b) => b.overrideProvider(AuthHooks).useClass(OwnHooks));
    try {
      const { id } = await other.register('ada');
      const { jwt: own } = await other.login('ada');
      const cats = await other.get('/test-cats', `Bearer ${own}`);
      expect(cats.body).toEqual({
        owner: { id, username: 'ada', roles: [] },
        cats: ['Tom'],
        plan: 'plan of ada',
      });
      const ask = async (value?: string) => {
        const response = await other.get('/protected', value);
        return [response.status, response.body as unknown];
      };
      expect(await ask()).toEqual([403, { oops: 'missing' }]);
      expect(await ask('Bearer x')).toEqual([400, { oops: 'invalid' }]);
      expect(await ask(`Bearer ${forge(own, { exp: now() - 1 })}`)).toEqual([
        419,
        { oops: 'expired', code: 'token_expired' },
      ]);
    } finally {
      await other.stop();
    }
  });
});
