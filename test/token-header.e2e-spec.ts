import { sendRaw } from './support/http.js';
import { type Server, startServer } from './support/server.js';

let server: Server;
let token: string;
let refreshToken: string;
beforeAll(async () => {
  server = await startServer();
  await server.register('ada');
  ({ jwt: token, refresh_token: refreshToken } = await server.login('ada'));
});
afterAll(() => server.stop());

const withLines = (path: string, ...lines: string[]) =>
  sendRaw(
    server.port,
    [`GET ${path} HTTP/1.1`, 'Host: x', 'Connection: close', ...lines, '', ''].join('\r\n'),
  );

const expectMalformed = async (sent: string) => {
  const response = await server.get('/protected', `Bearer ${sent}`);
  expect([response.status, response.body]).toEqual([
    401,
    { msg: 'The token is not a well-formed JSON Web Token', code: 'token_malformed' },
  ]);
};

describe('the Authorization header', () => {
  const several = {
    status: 401,
    body: { msg: 'More than one Authorization header', code: 'malformed_authorization' },
  };
  it('is refused where it is sent twice, good or bad, in any case and order', async () => {
    const good = `Authorization: Bearer ${token}`;
    expect((await withLines('/protected', good)).status).toBe(200);
    for (const lines of [
      [good, good],
      [good, 'Authorization: Bearer x'],
      ['Authorization: Bearer x', good],
      ['Authorization: Basic YTpi', good],
      ['authorization:', good],
      [good, 'AUTHORIZATION:'],
      [good, 'X-Between: 1', good.replace('Authorization', 'authorization'), good],
    ]) {
      expect([lines, await withLines('/protected', ...lines)]).toEqual([lines, several]);
      // Nor does it pass as anonymous where that is allowed.
      expect([lines, await withLines('/test-visitors', ...lines)]).toEqual([lines, several]);
    }
  });

  it('is not completed by look-alikes, a query or a body', async () => {
    for (const line of [
      `Proxy-Authorization: Bearer ${token}`,
      `X-Authorization: Bearer ${token}`,
      `Authorization_: Bearer ${token}`,
      `Cookie: access_token=${token}; jwt=${token}`,
    ]) {
      expect((await withLines('/protected', line)).body).toMatchObject({
        code: 'missing_authorization',
      });
    }
    for (const name of ['access_token', 'token', 'jwt', 'auth_token']) {
      const response = await server.get(`/protected?${name}=${token}`);
      expect(response.body).toMatchObject({ code: 'missing_authorization' });
    }
  });

  it('may not hold two tokens', async () => {
    for (const value of [`${token} ${token}`, `${token}, Bearer ${token}`]) {
      const response = await server.get('/protected', `Bearer ${value}`);
      expect(response.status).toBe(401);
      expect(response.body).toMatchObject({ code: 'malformed_authorization' });
    }
    await expectMalformed(`${token},${token}`);
  });

  it.each(['Bearer  ', 'Bearer\t', 'bearer ', 'BEARER \t ', 'Bearer\u00a0', ' Bearer '])(
    'may begin with %j',
    async (begin) => {
      const line = `Authorization:${begin}${token}`;
      expect((await withLines('/protected', line)).status).toBe(200);
      expect((await withLines('/protected', `${line} \t`)).status).toBe(200);
    },
  );

  it.each([' ', '\t', '\u00a0'])('may not have %j within a token, known or not', async (space) => {
    for (const [a, b] of [
      [token, 'x'],
      [token, token],
      ['x', token],
    ]) {
      const line = `Authorization: Bearer ${a}${space}${b}`;
      expect(await withLines('/protected', line)).toEqual({
        status: 401,
        body: {
          msg: "Bad Authorization header. Expected value 'Bearer <JWT>'",
          code: 'malformed_authorization',
        },
      });
    }
  });

  it('is 431 with a token of 1 MB, and the server goes on', async () => {
    const line = `Authorization: Bearer ${token}${'A'.repeat(1_048_576)}`;
    expect(await withLines('/protected', line)).toEqual({
      status: 431,
      body: { msg: 'The request headers are too large', code: 'headers_too_large' },
    });
    await expectMalformed(`${token}${'A'.repeat(12_000)}`);
    await expectMalformed('.'.repeat(12_000));
    await server.get('/protected', `Bearer ${token}`).expect(200);
  });

  it('takes no refresh token of 1 MB either', async () => {
    const response = await server.http
      .post('/refresh')
      .send({ refresh_token: refreshToken.padEnd(1_048_576, 'A') });
    expect([response.status, response.body]).toEqual([
      413,
      { msg: 'The request body is too large', code: 'body_too_large' },
    ]);
  });
});
