import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { databaseKind, freshDatabase } from './support/databases.js';
import { GOOD_PASSWORD, type Server, startServer } from './support/server.js';

interface Attribute {
  key: string;
  value: { stringValue?: string; intValue?: number };
}
interface Span {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  kind: number;
  attributes: Attribute[];
  status: { code: number };
}
interface Export {
  resourceSpans: { resource: { attributes: Attribute[] }; scopeSpans: { spans: Span[] }[] }[];
}

const SERVER = 2;
const CLIENT = 3;

/** A collector that keeps what it is sent. */
async function startCollector() {
  const received: { path: string; headers: IncomingHttpHeaders; text: string }[] = [];
  const server: HttpServer = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    request.on('end', () => {
      received.push({ path: request.url ?? '', headers: request.headers, text });
      response.setHeader('content-type', 'application/json').end('{}');
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    exports: () => received.map(({ text }) => JSON.parse(text) as Export),
    spans: () =>
      received.flatMap(({ text }) =>
        (JSON.parse(text) as Export).resourceSpans.flatMap(({ scopeSpans }) =>
          scopeSpans.flatMap(({ spans }) => spans),
        ),
      ),
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

const attributes = (of: { attributes: Attribute[] }) =>
  Object.fromEntries(
    of.attributes.map(({ key, value }) => [key, value.stringValue ?? value.intValue]),
  );

/**
 * The look at the user and at the highest cost of stored hashes. Then the transaction that starts the session and
 * records it. On PostgreSQL, a statement of its own counts the living sessions after the wait for the lock.
 */
const STATEMENTS_OF_LOGIN =
  databaseKind() === 'sqlite'
    ? ['SELECT', 'SELECT', 'BEGIN', 'INSERT', 'INSERT', 'COMMIT']
    : ['SELECT', 'SELECT', 'START', 'INSERT', 'INSERT', 'SELECT', 'COMMIT'];

it('sends a span a request by route pattern, continuing the trace, and nothing secret', async () => {
  const collector = await startCollector();
  const server: Server = await startServer({
    OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url}/`,
    OTEL_EXPORTER_OTLP_HEADERS: 'x-tenant=one%20two, authorization=Basic abc=',
  });
  const traceId = '0af7651916cd43dd8448eb211c80319c';
  await server.register('canary-user');
  await server.http
    .post('/login?canary=query')
    .set('traceparent', `00-${traceId}-b7ad6b7169203331-01`)
    .set('baggage', 'canary=baggage')
    .set('user-agent', 'canary-agent')
    .send({ username: 'canary-user', password: GOOD_PASSWORD })
    .expect(200);
  await server.http.get('/canary-path').set('traceparent', 'canary-nonsense').expect(404);
  await server.http.get('/test-visitors/crash').expect(500);
  // What is not sent yet is sent at the end.
  await server.stop();
  await collector.close();

  expect(collector.received.length).toBeGreaterThan(0);
  for (const { path, headers, text } of collector.received) {
    expect(path).toBe('/v1/traces');
    expect([headers['x-tenant'], headers.authorization]).toEqual(['one two', 'Basic abc=']);
    expect(text).not.toMatch(/canary|127\.0\.0\.1|correct horse/);
  }
  for (const { resourceSpans } of collector.exports()) {
    for (const { resource } of resourceSpans) {
      expect(attributes(resource)).toMatchObject({ 'service.name': 'latchkey' });
    }
  }
  const spans = collector.spans();
  const requests = spans.filter(({ kind }) => kind === SERVER);
  expect(
    requests.map(({ name, attributes: list, status }) => [
      name,
      attributes({ attributes: list }),
      status.code,
    ]),
  ).toEqual([
    [
      'POST /register',
      {
        'http.request.method': 'POST',
        'http.route': '/register',
        'http.response.status_code': 201,
      },
      0,
    ],
    [
      'POST /login',
      { 'http.request.method': 'POST', 'http.route': '/login', 'http.response.status_code': 200 },
      0,
    ],
    ['GET', { 'http.request.method': 'GET', 'http.response.status_code': 404 }, 0],
    [
      'GET /test-visitors/crash',
      {
        'http.request.method': 'GET',
        'http.route': '/test-visitors/crash',
        'http.response.status_code': 500,
      },
      2,
    ],
  ]);
  const login = requests.find(({ name }) => name === 'POST /login');
  expect(login).toMatchObject({ traceId, parentSpanId: 'b7ad6b7169203331' });
  expect(new Set(requests.map((span) => span.traceId)).size).toBe(4);

  const statements = spans.filter(({ kind }) => kind === CLIENT);
  const ofLogin = statements.filter(({ parentSpanId }) => parentSpanId === login?.spanId);
  const system = databaseKind() === 'sqlite' ? 'sqlite' : 'postgresql';
  expect(ofLogin.map((span) => [span.name, span.traceId, attributes(span)])).toEqual(
    STATEMENTS_OF_LOGIN.map((name) => [
      name,
      traceId,
      { 'db.system.name': system, 'db.operation.name': name },
    ]),
  );
});

it('serves on, and stops, where the collector is not there', async () => {
  const collector = await startCollector();
  await collector.close();
  const server = await startServer({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
  await server.register('ada');
  await server.login('ada');
  const began = performance.now();
  await server.stop();
  expect(performance.now() - began).toBeLessThan(8_000);
});

it.each([
  ['nothing of OpenTelemetry but what prom-client names', {}, false],
  ['the library', { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' }, true],
])('loads %s, with the settings %j', async (_what, settings, expected) => {
  const database = await freshDatabase();
  // Lists the packages of OpenTelemetry that were loaded, and stops.
  const spy = `
    import Module from 'node:module';
    process.on('exit', () => {
      const files = Object.keys(Module._cache).join('\\n');
      const names = [...files.matchAll(/@opentelemetry.([\\w-]+)/g)].map(([, name]) => name);
      console.log('loaded: ' + JSON.stringify([...new Set(names)]));
    });`;
  const child = spawn(
    process.execPath,
    ['--import', `data:text/javascript,${encodeURIComponent(spy)}`, resolve('dist/src/main.js')],
    {
      cwd: database.dataDir,
      env: {
        PATH: process.env.PATH,
        PORT: '0',
        BCRYPT_COST: '4',
        DATABASE_URL: database.url,
        ...settings,
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  try {
    let output = '';
    child.stdout.on('data', (data: Buffer) => {
      const before = output;
      output += data.toString();
      const listening = (text: string) => text.includes('Server listening');
      if (listening(output) && !listening(before)) child.kill('SIGTERM');
    });
    expect(await once(child, 'close')).toEqual([0, null]);
    const [, loaded = ''] = /^loaded: (.*)$/m.exec(output) ?? [];
    const packages = JSON.parse(loaded) as string[];
    expect(packages.includes('sdk-trace-node')).toBe(expected);
    if (!expected) expect(packages).toEqual(['api']);
  } finally {
    child.kill('SIGKILL');
    await database.drop();
  }
});
