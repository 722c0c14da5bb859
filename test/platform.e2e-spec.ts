import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { sendRaw } from './support/http.js';
import { GOOD_PASSWORD, type Server, startServer } from './support/server.js';

let server: Server;
beforeAll(async () => {
  server = await startServer({ LOG_LEVEL: 'debug' });
});
afterAll(() => server.stop());

const json = (body: string) =>
  server.http.post('/login').set('content-type', 'application/json').send(body);

const asErrno = (error: unknown) => error as NodeJS.ErrnoException;

describe('the one shape of errors', () => {
  it.each([
    ['malformed JSON', '{"username":', 400, 'malformed_json'],
    ['JSON 100,000 deep', '['.repeat(100_000), 400, 'json_too_deep'],
    ['JSON deep in a field', `{"username":${'{"a":'.repeat(5000)}`, 400, 'json_too_deep'],
    ['JSON deep in an unknown key', `{"x":${'['.repeat(40)}`, 400, 'json_too_deep'],
    ['a body over 64 KiB', JSON.stringify({ username: 'a'.repeat(65_536) }), 413, 'body_too_large'],
    ['a body of 10 MB', '"'.padEnd(10_000_000, 'x'), 413, 'body_too_large'],
  ])('answers %s', async (_what, body: string, status, code) => {
    // A server that refuses early may close before a client has sent everything.
    const response = await json(body).catch(asErrno);
    if (response instanceof Error) {
      expect(['EPIPE', 'ECONNRESET']).toContain(response.code);
      expect(status).toBe(413);
      return;
    }
    expect(response.status).toBe(status);
    expect(response.body).toEqual({ msg: expect.any(String) as string, code });
  });

  it('takes JSON up to 32 levels and ignores what it does not know', async () => {
    const deep = `${'['.repeat(31)}${']'.repeat(31)}`;
    const response = await json(`{"x":${deep},"y":"[[[[\\"[{","username":"a","password":"b"}`);
    expect([response.status, (response.body as { code: string }).code]).toEqual([
      401,
      'bad_credentials',
    ]);
  });

  it('knows no other routes', async () => {
    for (const request of [server.http.get('/nope'), server.http.get('/login/../x')]) {
      const response = await request;
      expect(response.status).toBe(404);
      expect(response.body).toEqual({ msg: 'This path does not exist', code: 'not_found' });
    }
  });

  it.each([
    ['an unknown method', 'FOO / HTTP/1.1\r\nHost: x\r\n\r\n', 405, 'method_not_allowed'],
    ['CONNECT', 'CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n', 405, 'method_not_allowed'],
    [
      'bytes that are not UTF-8',
      'POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n' +
        'Connection: close\r\nContent-Length: 3\r\n\r\n{\xff}',
      400,
      'malformed_json',
    ],
    ['no HTTP', 'hello\r\n\r\n', 405, 'method_not_allowed'],
    [
      'two lengths',
      'POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
      400,
      'bad_request',
    ],
    [
      'a bad escape',
      'GET /%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
      400,
      'bad_request',
    ],
    [
      'a huge header',
      `GET / HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(1_000_000)}\r\n\r\n`,
      431,
      'headers_too_large',
    ],
    [
      'an expectation',
      'GET / HTTP/1.1\r\nHost: x\r\nExpect: tea\r\n\r\n',
      417,
      'expectation_failed',
    ],
  ])('answers %s', async (_what, text, status, code) => {
    expect(await sendRaw(server.port, text)).toEqual({
      status,
      body: { msg: expect.any(String) as string, code },
    });
  });

  it('answers an expectation in its turn', async () => {
    const expecting = 'GET /nope HTTP/1.1\r\nHost: x\r\nExpect: tea\r\n\r\n';
    const socket = connect(server.port, '127.0.0.1');
    socket.write(`GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n${expecting}${expecting}`);
    const answers = await text(socket);
    expect(answers.match(/(?<=HTTP\/1\.1 )\d+/g)).toEqual(['200', '417']);
  });

  it.each([
    ['CONNECT', 'CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['an expectation', 'GET / HTTP/1.1\r\nHost: x\r\nExpect: tea\r\n\r\n'.repeat(2)],
    ['no HTTP', 'hello\r\n\r\n'],
    [
      'a login',
      'POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n' +
        'Content-Length: 31\r\n\r\n{"username":"a","password":"b"}',
    ],
  ])('outlives clients that reset the connection behind %s', async (_what, sent) => {
    const before = server.log.length;
    for (let round = 0; round < 20; round++) {
      const socket = connect(server.port, '127.0.0.1', () => {
        socket.write(sent, () => {
          if (round % 2) socket.resetAndDestroy();
          else setImmediate(() => socket.resetAndDestroy());
        });
      });
      socket.on('error', () => undefined);
      await once(socket, 'close');
    }
    expect((await server.http.get('/health/live')).status).toBe(200);
    expect(server.log.slice(before).filter(({ level }) => Number(level) >= 50)).toEqual([]);
  });

  it('cuts slow headers at 5 s and answers others meanwhile', async () => {
    const slow = sendRaw(server.port, 'GET /protected HTTP/1.1\r\nHost: x\r\nX-Slow: ');
    expect((await server.http.get('/health/live')).status).toBe(200);
    const began = performance.now();
    expect(await slow).toEqual({
      status: 408,
      body: { msg: 'The request took too long to arrive', code: 'request_timeout' },
    });
    expect(performance.now() - began).toBeLessThan(9_000);
  });

  it('is not confused by __proto__ and constructor', async () => {
    const body = `{"__proto__":{"roles":["admin"],"x":1},"constructor":{"prototype":{"x":1}},
      "username":"proto","password":${JSON.stringify(GOOD_PASSWORD)}}`;
    const response = await server.http
      .post('/register')
      .set('content-type', 'application/json')
      .send(body);
    expect([response.status, (response.body as { roles: unknown }).roles]).toEqual([201, []]);
    expect(({} as { x?: unknown }).x).toBeUndefined();
    for (const username of ['__proto__', 'constructor', 'toString']) {
      expect((await server.http.post('/login').send({ username, password: 'x' })).status).toBe(401);
    }
    const operator = await server.http
      .post('/login')
      .send({ username: { $ne: 1 }, password: { $ne: 1 } });
    expect(operator.status).toBe(400);
  });

  it('shows nothing of a fault of ours and logs it', async () => {
    const response = await server.http.get('/test-visitors/crash');
    expect([response.status, response.body]).toEqual([
      500,
      { msg: 'Something went wrong on our side', code: 'internal_error' },
    ]);
    const line = server.log.find(({ reqId }) => reqId === response.headers['x-request-id']);
    expect(line).toMatchObject({
      level: 50,
      err: { type: 'Error', stack: expect.any(String) as string },
    });
  });
});

describe('the address of a client', () => {
  const address = async (from: Server) => {
    await from.http
      .post('/login')
      .set('x-forwarded-for', '203.0.113.7, 198.51.100.2')
      .send({ username: 'ada', password: GOOD_PASSWORD })
      .expect(200);
    return stored(from);
  };
  const stored = async (from: Server) => {
    const rows = await from.withDatabase((db) =>
      db.query<{ address: string }[]>('SELECT address FROM sessions'),
    );
    return rows.map((row) => row.address);
  };
  it('is the proxy’s own if that passes on something else', async () => {
    const other = await startServer({ TRUST_PROXY: '1' });
    try {
      await other.register('ada');
      const forwarded = `'; DROP TABLE users; --${'x'.repeat(5000)}`;
      await other.http
        .post('/login')
        .set('x-forwarded-for', forwarded)
        .set('user-agent', 'y'.repeat(5000))
        .send({ username: 'ada', password: GOOD_PASSWORD })
        .expect(200);
      expect(await stored(other)).toEqual(['127.0.0.1']);
    } finally {
      await other.stop();
    }
  });

  it.each([
    [{}, '127.0.0.1'],
    [{ TRUST_PROXY: '1' }, '198.51.100.2'],
    [{ TRUST_PROXY: '2' }, '203.0.113.7'],
    [{ TRUST_PROXY: '127.0.0.1' }, '198.51.100.2'],
    [{ TRUST_PROXY: '10.0.0.0/8' }, '127.0.0.1'],
  ])('is read with %j as %s', async (settings: Record<string, string>, expected) => {
    const other = await startServer(settings);
    try {
      await other.register('ada');
      expect(await address(other)).toEqual([expected]);
    } finally {
      await other.stop();
    }
  });
});

describe('GET /docs, /openapi.json, /health', () => {
  it('describes the routes', async () => {
    const { body } = (await server.http.get('/openapi.json')) as {
      body: {
        openapi: string;
        paths: Record<string, Record<string, object>>;
        components: { schemas: Record<string, object> };
      };
    };
    expect(body.openapi).toMatch(/^3\./);
    expect(Object.keys(body.paths)).toEqual(
      expect.arrayContaining(['/register', '/login', '/protected', '/me', '/health/live']),
    );
    expect(body.paths['/register']?.post).toMatchObject({
      requestBody: {
        content: {
          'application/json': { schema: { $ref: '#/components/schemas/Registration' } },
        },
      },
    });
    expect(body.components.schemas.Registration).toMatchObject({
      required: ['username', 'password'],
    });
  });

  it('shows the page with its own policy', async () => {
    const page = await server.http.get('/docs').expect(200);
    expect(page.headers['content-type']).toContain('text/html');
    expect(page.headers['content-security-policy']).toContain("script-src 'self'");
    await server.http.get('/docs/swagger-ui-bundle.js').expect(200);
  });

  it('is alive and ready', async () => {
    expect((await server.http.get('/health/live')).body).toEqual({ status: 'ok' });
    expect((await server.http.get('/health/ready')).body).toEqual({
      status: 'ok',
      database: 'ok',
      revocations: 'ok',
      roles: 'ok',
    });
  });
});

describe('the log', () => {
  it('has one line a request and no secret in it', async () => {
    const canary = 'canary-6f1d';
    await server.http
      .post(`/login?password=${canary}-query`)
      .set('authorization', `Bearer ${canary}-header`)
      .set('user-agent', `${canary}-agent\tx`)
      .send({ username: `${canary}-name`, password: `${canary}-password` });
    await json(`{"password":"${canary}-malformed`);
    await server.http.get(`/${canary}-path`);
    const tokens = await server.register('logged').then(() => server.login('logged'));
    const { headers } = await server.http.get('/protected').auth(tokens.jwt, { type: 'bearer' });
    const text = JSON.stringify(server.log);
    for (const secret of [canary, tokens.jwt, tokens.refresh_token, GOOD_PASSWORD, '$2b$']) {
      expect(text).not.toContain(secret);
    }
    const lines = server.log.filter(({ reqId }) => reqId === headers['x-request-id']);
    expect(lines).toEqual([
      {
        level: 30,
        time: expect.any(Number) as number,
        pid: process.pid,
        hostname: expect.any(String) as string,
        reqId: headers['x-request-id'],
        method: 'GET',
        route: '/protected',
        status: 200,
        ms: expect.any(Number) as number,
        msg: 'request',
      },
    ]);
  });
});
