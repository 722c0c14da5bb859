import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import { Ajv, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import { UserChangesService } from '../src/users/user-changes.service.js';
import { randomValues, type Schema } from './support/random-values.js';
import { GOOD_PASSWORD, type Server, startServer } from './support/server.js';

interface Operation {
  security: Record<string, string[]>[];
  parameters?: { name: string; in: string; required?: boolean; schema: Schema }[];
  requestBody?: { content: Record<string, { schema: Schema }> };
  responses: Record<string, { content?: Record<string, { schema: Schema }> }>;
}
interface Document {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
}

let server: Server;
let document: Document;
let authorization: string;
beforeAll(async () => {
  server = await startServer({ SIGN_IN_BY_MAIL: 'on' });
  document = (await server.http.get('/openapi.json').expect(200)).body as Document;
  await signIn();
});
afterAll(() => server.stop());

let accounts = 0;
/** Signs in as an administrator that is there: the last one may have deleted itself. */
async function signIn(): Promise<void> {
  const name = `admin${accounts++}`;
  const { id } = await server.register(name);
  await server.app.get(UserChangesService, { strict: false }).setRoles(id, ['admin']);
  authorization = `Bearer ${(await server.login(name)).jwt}`;
}

it('has no error by the recommended rules of Redocly', async () => {
  const problems = await lintFromString({
    source: JSON.stringify(document),
    absoluteRef: 'openapi.json',
    config: await createConfig({ extends: ['recommended'] }),
  });
  const errors = problems.filter(({ severity }) => severity === 'error');
  expect(errors.map(({ message, location }) => [message, location[0]?.pointer])).toEqual([]);
});

it('says of each route which token it asks for, by its guards, a project’s own too', () => {
  const security = (path: string, method = 'get') => document.paths[path]?.[method]?.security;
  const [token, none] = [[{ bearer: [] }], []];
  expect(security('/test-cats')).toEqual(token);
  expect(security('/test-cats/feed', 'post')).toEqual(token);
  expect(security('/test-by-name')).toEqual(token);
  expect(security('/test-pairs')).toEqual(token);
  expect(security('/test-visitors')).toEqual([...token, {}]);
  expect(security('/me', 'delete')).toEqual(token);
  expect(security('/users')).toEqual(token);
  for (const [path, method] of [
    ['/login', 'post'],
    ['/password/reset', 'post'],
    ['/metrics', 'get'],
    ['/health/live', 'get'],
    ['/.well-known/jwks.json', 'get'],
  ] as const) {
    expect([path, security(path, method)]).toEqual([path, none]);
  }
});

it('names its schemas, gives examples, and has a body for every refusal', () => {
  const { schemas } = document.components;
  expect(Object.keys(schemas)).toEqual(
    expect.arrayContaining(['User', 'Account', 'Tokens', 'Registration', 'Login', 'Error']),
  );
  expect(schemas.Login?.example).toEqual({ username: 'ada', password: GOOD_PASSWORD });
  expect(schemas.Error401?.properties?.code?.enum).toContain('token_expired');
  expect(schemas.Error401?.properties?.code?.enum).not.toContain('username_taken');
  expect(schemas.Registration?.properties?.email).toMatchObject({
    format: 'email',
    maxLength: 254,
  });
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, { parameters = [], responses, requestBody }] of Object.entries(methods)) {
      const where = `${method} ${path}`;
      const headers = parameters.filter((parameter) => parameter.in === 'header');
      expect([where, headers.some(({ required }) => required)]).toEqual([where, false]);
      if (requestBody)
        expect([where, '400' in responses, '413' in responses]).toEqual([where, true, true]);
      for (const [status, { content }] of Object.entries(responses)) {
        if (status !== 'default' && Number(status) < 400) continue;
        const { $ref = '' } = content?.['application/json']?.schema ?? {};
        expect([where, status, $ref]).toEqual([
          where,
          status,
          expect.stringMatching(/^#\/components\/schemas\/Error/),
        ]);
      }
    }
  }
});

it('says of each guarded route that a role may require a second factor first', () => {
  const allowed = /^\/(me\/(factors|passkeys|recovery-codes|step-up)|logout)/;
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, { security, responses }] of Object.entries(methods)) {
      if (security.length === 0 || allowed.test(path)) continue;
      const listed = '403' in responses;
      expect([method, path, listed]).toEqual([method, path, true]);
    }
  }
  expect(document.components.schemas.Error403?.properties?.code?.enum).toContain(
    'enrolment_required',
  );
});

it('describes the challenge of a sign-in that needs a second factor', () => {
  const { schemas } = document.components;
  expect(schemas.SecondFactorRequired).toMatchObject({
    required: ['msg', 'code', 'challenge', 'methods', 'expires_in'],
    properties: { code: { type: 'string', enum: ['second_factor_required'] } },
  });
  for (const path of ['/login', '/login/mail/verify']) {
    const { content } = document.paths[path]?.post?.responses[401] ?? {};
    expect(content?.['application/json']?.schema).toEqual({
      $ref: '#/components/schemas/Error401OrSecondFactorRequired',
    });
  }
});

const CLIENT = `
import createClient from 'openapi-fetch';
import type { paths } from './api.js';

const client = createClient<paths>({ baseUrl: 'http://localhost:3000' });

export async function register(): Promise<string> {
  const { data, error } = await client.POST('/register', {
    body: { username: 'ada', password: 'correct horse battery staple' },
  });
  if (data) return data.id;
  switch (error.code) {
    case 'username_taken':
    case 'weak_password':
      return error.msg;
    // @ts-expect-error there is no such code
    case 'no_such_code':
      return '';
    default:
      return error.errors?.[0]?.path ?? error.msg;
  }
}

export async function login(): Promise<string> {
  const { data, error } = await client.POST('/login', { body: { username: 'ada', password: 'x' } });
  if (data) return data.jwt;
  if (!('challenge' in error)) return error.msg;
  return error.challenge + error.methods.join() + error.expires_in.toFixed();
}

export async function others(): Promise<unknown[]> {
  const { data } = await client.GET('/me/sessions', {});
  const page = await client.GET('/users', { params: { query: { limit: 10, state: 'active' } } });
  const gone = await client.DELETE('/me', {});
  const user = await client.PATCH('/users/{id}', {
    params: { path: { id: 'x' } },
    body: { disabled: { reason: 'Chargeback' } },
  });
  const profile = await client.PATCH('/me', { body: { locale: 'de' } });
  // @ts-expect-error the password is missing
  await client.POST('/login', { body: { username: 'ada' } });
  return [
    ...(data?.sessions ?? []).map(({ device }) => device),
    ...(page.data?.users ?? []).map(({ email }) => email?.length),
    gone.response.status,
    user.data?.disabled?.since,
    profile.data?.locale,
  ];
}
`;

it('makes a client by openapi-typescript that compiles strictly and narrows errors by their code', () => {
  mkdirSync('node_modules/.cache', { recursive: true });
  const dir = mkdtempSync('node_modules/.cache/client-');
  try {
    const file = (name: string) => join(dir, name);
    writeFileSync(file('openapi.json'), JSON.stringify(document));
    writeFileSync(file('client.mts'), CLIENT.replace('./api.js', './api.mjs'));
    const run = (program: string, ...args: string[]) =>
      execFileSync(process.execPath, [program, ...args], { encoding: 'utf8', stdio: 'pipe' });
    run(
      'node_modules/openapi-typescript/bin/cli.js',
      file('openapi.json'),
      '--output',
      file('api.mts'),
    );
    const strict = ['--strict', '--exactOptionalPropertyTypes', '--noUncheckedIndexedAccess'];
    const modules = [
      '--module',
      'nodenext',
      '--target',
      'es2022',
      '--lib',
      'es2022,dom,dom.iterable',
    ];
    run(
      'node_modules/typescript-7/bin/tsc',
      '--ignoreConfig',
      '--noEmit',
      ...strict,
      ...modules,
      file('client.mts'),
    );
  } catch (error) {
    throw new Error((error as { stdout?: string }).stdout ?? '', { cause: error });
  } finally {
    rmSync(dir, { recursive: true });
  }
}, 180_000);

/** Requests as the document describes them, and now and then some that it does not allow. */
describe('every answer is one that the document describes', () => {
  const { chance, value, text } = randomValues(20_260_101, () => document.components.schemas);

  it('whatever is asked', async () => {
    const ajv = new Ajv({ strict: false, validateFormats: true });
    // Both are CommonJS modules; the types name the function itself.
    (addFormats as unknown as (to: Ajv) => void)(ajv);
    ajv.addSchema({ $id: 'doc', components: document.components });
    const validators = new Map<string, ValidateFunction>();
    const validatorOf = (schema: Schema): ValidateFunction => {
      const source = JSON.stringify(schema).replaceAll('"#/components', '"doc#/components');
      const known = validators.get(source) ?? ajv.compile(JSON.parse(source) as object);
      validators.set(source, known);
      return known;
    };
    const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
    );
    // The tests' own routes: two of them wait for one another, and one fails on purpose.
    const own = operations.filter(({ path }) => !/^\/test-/.test(path));
    expect(own.length).toBeGreaterThan(30);
    const wrong: unknown[] = [];
    for (let round = 0; round < 5; round++) {
      for (const { path, method, operation } of own) {
        const parameters = (operation.parameters ?? []).filter(
          (parameter) => parameter.required === true || chance(0.5),
        );
        const filled = path.replace(/\{(\w+)\}/g, (_whole, name: string) =>
          text(parameters.find((one) => one.name === name)?.schema ?? {}),
        );
        const query = parameters
          .filter((parameter) => parameter.in === 'query')
          .map((parameter) => `${parameter.name}=${text(parameter.schema)}`);
        const schema = operation.requestBody?.content['application/json']?.schema;
        const body = schema && JSON.stringify(value(schema));
        const response = await fetch(`${server.url}${filled}?${query.join('&')}`, {
          method: method.toUpperCase(),
          headers: {
            ...(chance(0.9) && { authorization }),
            ...(body !== undefined && { 'content-type': 'application/json' }),
          },
          ...(body !== undefined && { body }),
        });
        const { status } = response;
        const answer = await response.text();
        // A parameter that is empty, or a path that normalises to another, asks for another route.
        if (status === 404 && answer.includes('This path does not exist')) continue;
        if (status === 405) continue;
        const described = operation.responses[status] ?? operation.responses.default;
        const content = described?.content?.['application/json']?.schema;
        const validate = validatorOf(content ?? {});
        const isListed = status in operation.responses || status === 503;
        const fits = content ? validate(JSON.parse(answer)) : true;
        if (!isListed || !fits || status === 500) {
          wrong.push({ method, filled, body, status, answer, errors: validate.errors });
        }
        const gone = status === 401 && /token_(revoked|stale)/.test(answer);
        if (gone || (method === 'delete' && path === '/me' && status === 204)) await signIn();
      }
    }
    expect(wrong).toEqual([]);
  }, 300_000);
});

describe('the texts of the document', () => {
  it.each([
    ['/openapi.json', 'application/json; charset=utf-8'],
    ['/openapi.yaml', 'application/yaml; charset=utf-8'],
  ])('are made once: %s', async (path, type) => {
    const first = await server.http.get(path).expect(200);
    const again = await server.http.get(path).expect(200);
    expect([first.headers['content-type'], first.headers['cache-control']]).toEqual([
      type,
      'no-cache',
    ]);
    const etag = String(first.headers.etag);
    expect(again.headers.etag).toBe(etag);
    const known = await server.http.get(path).set('if-none-match', `"x", W/${etag}`).expect(304);
    expect([known.text, known.headers.etag]).toEqual(['', etag]);
    await server.http.get(path).set('if-none-match', '"x"').expect(200);
  });

  it('keep a token that was entered on the page', async () => {
    const { text } = await server.http.get('/docs/start.js').expect(200);
    expect(text).toMatch(/persistAuthorization: true/);
  });

  it('are nowhere with DOCS=off', async () => {
    const silent = await startServer({ DOCS: 'off' });
    try {
      for (const path of ['/docs', '/docs/', '/docs/start.js', '/openapi.json', '/openapi.yaml']) {
        await silent.http.get(path).expect(404);
      }
      await silent.http.get('/health/live').expect(200);
    } finally {
      await silent.stop();
    }
  });
});
