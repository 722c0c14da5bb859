import { once } from 'node:events';
import { connect } from 'node:net';
import {
  BadRequestException,
  Body,
  ConflictException,
  Controller,
  Module,
  Post,
} from '@nestjs/common';
import { UserChangesService } from '../src/users/user-changes.service.js';
import { sendRaw } from './support/http.js';
import { GOOD_PASSWORD, type Server, startServer } from './support/server.js';
import { until } from './support/wait.js';

/** Every route of Latchkey's own that takes a JSON body. */
const ROUTES: [method: string, path: string][] = [
  ['POST', '/register'],
  ['POST', '/login'],
  ['POST', '/refresh'],
  ['PATCH', '/me'],
  ['DELETE', '/me'],
  ['PUT', '/me/password'],
  ['PUT', '/me/email'],
  ['POST', '/password/forgot'],
  ['POST', '/password/reset'],
  ['POST', '/email/verification'],
  ['POST', '/email/verify'],
  ['POST', '/email/confirm'],
  ['POST', '/email/undo'],
  ['POST', '/users'],
  ['PATCH', '/users/00000000-0000-4000-8000-000000000000'],
  ['PUT', '/roles/keeper'],
];

/** A route of a project's own that takes a body as NestJS's documentation writes it. */
@Controller('notes')
class NotesController {
  @Post()
  add(@Body() body: unknown) {
    return { body: body ?? 'nothing' };
  }

  /** Refuses as Nest's `ValidationPipe` does, with class-validator's sentences. */
  @Post('validated')
  validated(@Body() { wrong }: { wrong: string[] }) {
    throw new BadRequestException(wrong);
  }

  /** Refuses as Nest's `ValidationPipe` does with `errorFormat: 'grouped'`. */
  @Post('grouped')
  grouped(@Body() { wrong }: { wrong: Record<string, string[]> }) {
    throw new BadRequestException({ statusCode: 400, error: 'Bad Request', message: wrong });
  }

  @Post('own')
  own(@Body() body: Record<string, unknown>) {
    throw new ConflictException(body);
  }
}

@Module({ controllers: [NotesController] })
class NotesModule {}

let server: Server;
let jwt: string;
beforeAll(async () => {
  server = await startServer({ AUTH_COOKIES: 'on', CORS_ORIGINS: 'https://a.example' }, undefined, [
    NotesModule,
  ]);
  const { id } = await server.register('ada');
  await server.app.get(UserChangesService, { strict: false }).setRoles(id, ['admin']);
  ({ jwt } = await server.login('ada'));
});
afterAll(() => server.stop());

const send = async (method: string, path: string, body: string, type?: string) => {
  const response = await fetch(server.url + path, {
    method,
    headers: {
      authorization: `Bearer ${jwt}`,
      ...(type !== undefined && { 'content-type': type }),
    },
    // Bytes have no type of their own, as a text has.
    body: Buffer.from(body),
  });
  return [response.status, (await response.json()) as unknown] as const;
};

const MISSING = { msg: 'Missing JSON in request', code: 'missing_json' };

describe.each(ROUTES)('%s %s', (method, path) => {
  it.each(['true', '1', '"x"', 'null', '[]', '[1]', '["current_password"]'])(
    'misses an object if the JSON is %s',
    async (body) => {
      expect(await send(method, path, body, 'application/json')).toEqual([400, MISSING]);
    },
  );
});

it('takes JSON by any name that ends in +json', async () => {
  const body = JSON.stringify({ username: 'ada', password: GOOD_PASSWORD });
  for (const type of [
    'application/vnd.api+json',
    'application/scim+json; charset=utf-8',
    'APPLICATION/LD+JSON',
  ]) {
    expect(await send('POST', '/login', body, type)).toEqual([
      200,
      expect.objectContaining({ token_type: 'Bearer' }),
    ]);
  }
  for (const type of [
    'application/jsonp',
    'text/json',
    'application/x+jsonx',
    'x/application+json',
  ]) {
    expect(await send('POST', '/login', body, type)).toEqual([
      400,
      {
        ...MISSING,
        errors: [
          {
            path: 'Content-Type',
            msg: 'Bodies of this type are not read here; send Content-Type: application/json',
          },
        ],
      },
    ]);
  }
});

it('tells a client that sent no Content-Type to send one', async () => {
  expect(await send('POST', '/login', '{"username":"ada","password":"x"}')).toEqual([
    400,
    {
      ...MISSING,
      errors: [
        {
          path: 'Content-Type',
          msg: 'The body came without a Content-Type; send Content-Type: application/json',
        },
      ],
    },
  ]);
});

it('drops no body in silence, on a route of a project’s own either', async () => {
  for (const type of ['multipart/form-data; boundary=x', 'text/plain', 'image/png', undefined]) {
    const [status, body] = await send('POST', '/notes', '--x\r\n', type);
    expect([type, status, body]).toEqual([
      type,
      400,
      expect.objectContaining({ code: 'missing_json', errors: expect.any(Array) as unknown }),
    ]);
  }
  expect(await send('POST', '/notes', '', 'text/plain')).toEqual([201, { body: 'nothing' }]);
  expect(await send('POST', '/notes', '[1]', 'application/json')).toEqual([201, { body: [1] }]);
});

it('keeps the sentences of a project’s own pipe', async () => {
  const refuse = (path: string, body: object) =>
    send('POST', `/notes/${path}`, JSON.stringify(body), 'application/json');
  const [name, age] = ['name should not be empty', 'owner.age must not be less than 1'];
  expect(await refuse('validated', { wrong: [name] })).toEqual([
    400,
    { msg: name, code: 'bad_request', errors: [{ path: 'name', msg: name }] },
  ]);
  const both = {
    msg: name,
    code: 'bad_request',
    errors: [
      { path: 'name', msg: name },
      { path: 'owner.age', msg: age },
    ],
  };
  expect(await refuse('validated', { wrong: [name, age] })).toEqual([400, both]);
  expect(await refuse('grouped', { wrong: { name: [name], 'owner.age': [age] } })).toEqual([
    400,
    both,
  ]);
  expect(await refuse('own', { message: 'This is taken', secret: 'x' })).toEqual([
    409,
    { msg: 'This is taken', code: 'conflict' },
  ]);
  const odd = { msg: 'The request conflicts with stored data', code: 'conflict' };
  for (const body of [{}, { message: [] }, { message: 1 }, { message: { a: 1 } }]) {
    expect(await refuse('own', body)).toEqual([409, odd]);
  }
});

it.each([
  'application/json',
  'application/problem+json',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'text/plain',
  'application/octet-stream',
  '',
])('refuses more than 64 KiB of "%s", declared or not', async (type) => {
  const post = async (...rest: string[]) => {
    const lines = ['POST /login HTTP/1.1', 'Host: x', ...(type ? [`Content-Type: ${type}`] : [])];
    const { status, body } = await sendRaw(server.port, [...lines, ...rest].join('\r\n'));
    return [status, (body as { code: string }).code];
  };
  const large = '"'.padEnd(65_537, 'x');
  const refused = [413, 'body_too_large'];
  expect(await post(`Content-Length: ${large.length}`, '', large)).toEqual(refused);
  const chunk = `${large.length.toString(16)}\r\n${large}\r\n`;
  expect(await post('Transfer-Encoding: chunked', '', `${chunk}0\r\n\r\n`)).toEqual(refused);
});

it('says 499 of a body that breaks off, in one line without a stack, and counts it', async () => {
  const before = server.log.length;
  const types = ['application/json', 'text/plain', 'application/x-www-form-urlencoded'];
  for (const type of types) {
    for (const path of ['/login', '/notes', '/account/verify-email']) {
      const socket = connect(server.port, '127.0.0.1');
      const lines = [`POST ${path} HTTP/1.1`, 'Host: x', `Content-Type: ${type}`];
      socket.write([...lines, 'Content-Length: 100', '', '{"username":'].join('\r\n'));
      await once(socket, 'connect');
      await new Promise((resolve) => socket.write('x', resolve));
      socket.destroy();
    }
  }
  const lines = () => server.log.slice(before).filter(({ msg }) => msg === 'request');
  await until(() => lines().length >= 9, 'nine lines');
  expect(lines().map(({ status }) => status)).toEqual(Array(9).fill(499));
  expect(server.log.slice(before).filter(({ level }) => Number(level) > 30)).toEqual([]);
  const { text } = await server.http.get('/metrics');
  expect(text).toContain(
    'latchkey_http_requests_total{method="POST",route="/login",status="499"} 3',
  );
});

it('lets scripts of other origins read the headers that say what to do next', async () => {
  const { headers } = await server.http.get('/protected').set('origin', 'https://a.example');
  expect(headers['access-control-expose-headers']).toBe(
    'ETag, RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate, X-Request-Id',
  );
});
