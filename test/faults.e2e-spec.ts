import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import request from 'supertest';
import { Metrics } from '../src/common/metrics.js';
import { type FreshDatabase, freshDatabase } from './support/databases.js';
import { GOOD_PASSWORD, now, type Server, startServer } from './support/server.js';
import { forge } from './support/tokens.js';
import { type ServerProcess, startProcess } from './support/server-process.js';

const user = { username: 'ada', password: GOOD_PASSWORD };

/** How many files and sockets a process here may have open. */
const OPEN_FILES = openFilesLimit();
const SLOW = fitting(1_000);
const IDLE = fitting(10_000);

/** The server in a process of its own: its sockets are counted there, ours here. */
let database: FreshDatabase;
let started: ServerProcess;
let url: string;
const sockets: Socket[] = [];
beforeAll(async () => {
  database = await freshDatabase();
  const env = { DATABASE_URL: database.url, DATA_DIR: database.dataDir };
  started = startProcess(database.dataDir, env);
  url = await started.listening;
  await request(url).post('/register').send(user).expect(201);
});
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});
afterAll(async () => {
  started.child.kill('SIGKILL');
  await started.exit;
  await database.drop();
});

/** Opens `count` connections at once. */
async function open(count: number): Promise<Socket[]> {
  const { hostname, port } = new URL(url);
  const opened = Array.from({ length: count }, () => {
    const socket = connect(Number(port), hostname);
    // Whoever is cut may be cut while it sends.
    socket.on('error', () => undefined);
    return socket;
  });
  sockets.push(...opened);
  await Promise.all(opened.map((socket) => once(socket, 'connect')));
  return opened;
}

/** What the server says on `socket` up to where it closes it. */
async function answerOf(socket: Socket): Promise<string> {
  let answer = '';
  socket.on('data', (data) => (answer += data.toString()));
  await once(socket, 'close');
  return answer;
}

/** Logs in and shows the token: what must go on working for everybody else. */
async function signIn(): Promise<void> {
  const login = await request(url).post('/login').send(user).expect(200);
  const { jwt } = login.body as { jwt: string };
  const hello = await request(url).get('/protected').auth(jwt, { type: 'bearer' }).expect(200);
  expect(hello.body).toEqual({ hello_from: 'ada' });
}

/** Signs in one after another until `work` is done; resolves to how often. */
async function signInUntil(work: Promise<unknown>): Promise<number> {
  const state = { done: false };
  const finished = work.finally(() => (state.done = true));
  let times = 0;
  for (; !state.done; times++) await signIn();
  await finished;
  return times;
}

it(`serves others while ${SLOW} clients send a byte a second, and cuts slow headers`, async () => {
  const slow = await open(SLOW);
  const half = SLOW / 2;
  const head = 'POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';
  slow.forEach((socket, i) => {
    socket.write(i < half ? head : `${head}Content-Length: 1000\r\n\r\n`);
  });
  const answers = slow.slice(0, half).map(answerOf);
  const cut = Promise.all(answers);
  const drip = setInterval(() => {
    slow.forEach((socket, i) => socket.writable && socket.write(i < half ? 'X' : ' '));
  }, 1_000);
  try {
    expect(await signInUntil(cut)).toBeGreaterThan(3);
    for (const answer of await cut) {
      expect(answer).toMatch(/^HTTP\/1\.1 408 /);
      expect(answer).toContain('"code":"request_timeout"');
    }
    await signIn();
  } finally {
    clearInterval(drip);
  }
});

it(`serves others beside ${IDLE} idle connections`, async () => {
  // One request each, or they would be cut as slow; then they stay, as a browser's do.
  const idle: Socket[] = [];
  while (idle.length < IDLE) {
    const some = await open(Math.min(250, IDLE - idle.length));
    const answers = await Promise.all(
      some.map(async (socket) => {
        socket.write('GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n');
        const [answer] = (await once(socket, 'data')) as [Buffer];
        return answer.toString().split('\r\n')[0];
      }),
    );
    expect(new Set(answers)).toEqual(new Set(['HTTP/1.1 200 OK']));
    idle.push(...some);
  }
  await signIn();
  expect(idle.filter(({ closed, destroyed }) => closed || destroyed)).toEqual([]);
});

it('serves others in a flood of bodies that are too large', async () => {
  const body = `{"username":"${'x'.repeat(200_000)}"}`;
  const head = `POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
  let refused = 0;
  const flood = async () => {
    for (let i = 0; i < 40; i++) {
      const [socket] = await open(1);
      if (!socket) throw new Error('no connection');
      socket.write(head + body);
      const answer = await answerOf(socket);
      // Who sends on after the refusal may lose it to the reset.
      if (answer !== '') expect(answer).toMatch(/^HTTP\/1\.1 413 [^]*"code":"body_too_large"/);
      refused++;
    }
  };
  const floods = Promise.all(Array.from({ length: 50 }, flood));
  expect(await signInUntil(floods)).toBeGreaterThan(0);
  expect(refused).toBe(2_000);
  await signIn();
});

describe('a flood of bad tokens', () => {
  /** Runs `work` on a server in this process; resolves to what it logged up to its end. */
  async function logOf(settings: Record<string, string>, work: (server: Server) => Promise<void>) {
    const server = await startServer(settings);
    try {
      await work(server);
    } finally {
      await server.stop();
    }
    return server.log;
  }

  const requests = (log: Server['log']) =>
    log
      .filter(({ msg, status }) => msg === 'request' && status === 401)
      .map(({ level, route }) => [level, route]);

  it('takes no stack and no line of the log each, is counted and summed up', async () => {
    // jsonwebtoken takes a stack by this call for each of its errors.
    const limits: number[] = [];
    const capture = Error.captureStackTrace.bind(Error);
    const codes: string[] = [];
    const log = await logOf({}, async (server) => {
      const bad = badTokens((await server.register('ada').then(() => server.login('ada'))).jwt);
      codes.push(...Object.keys(bad));
      const spy = jest.spyOn(Error, 'captureStackTrace').mockImplementation((...args) => {
        limits.push(Error.stackTraceLimit);
        capture(...args);
      });
      for (const [code, authorization] of Object.entries(bad)) {
        for (let i = 0; i < 3; i++) {
          const response = await server.get('/protected', authorization);
          expect((response.body as { code: string }).code).toBe(code);
        }
      }
      spy.mockRestore();
      const { registry } = server.app.get(Metrics);
      const name = 'latchkey_refused_tokens_total';
      const counted = await registry.getSingleMetricAsString(name);
      const lines = codes.map((code) => `${name}{code="${code}"} 3`);
      expect(counted.split('\n').slice(2)).toEqual(lines);
    });
    expect(limits.length).toBeGreaterThan(0);
    expect(limits.filter((limit) => limit > 0)).toEqual([]);
    expect(requests(log)).toEqual([]);
    const said = log.filter(({ context }) => context === 'RefusedTokens');
    expect(said.map(({ level, msg }) => [level, msg])).toEqual([
      [30, `Requests refused for their token: ${codes.join(' 3, ')} 3`],
    ]);
  });

  it('has its lines where details are logged', async () => {
    const log = await logOf({ LOG_LEVEL: 'debug' }, async (server) => {
      await server.get('/protected').expect(401);
    });
    expect(requests(log)).toEqual([[20, '/protected']]);
  });
});

/** Headers that are refused, by the code of the refusal. */
function badTokens(jwt: string): Record<string, string | undefined> {
  return {
    missing_authorization: undefined,
    malformed_authorization: 'Basic YTpi',
    token_malformed: 'Bearer e30.e30.=',
    token_signature_invalid: `Bearer ${forge(jwt, {}, {}, 'x'.repeat(64))}`,
    token_algorithm_invalid: `Bearer ${forge(jwt, {}, { alg: 'HS384' })}`,
    token_type_invalid: `Bearer ${forge(jwt, {}, { typ: 'JWT' })}`,
    token_claims_invalid: `Bearer ${forge(jwt, { sid: 1 })}`,
    token_issuer_invalid: `Bearer ${forge(jwt, { iss: 'another' })}`,
    token_expired: `Bearer ${forge(jwt, { exp: now() - 1 })}`,
    token_not_yet_valid: `Bearer ${forge(jwt, { nbf: now() + 600 })}`,
  };
}

/** `wanted` connections, or as many as this machine's limit allows, which is said. */
function fitting(wanted: number): number {
  const possible = Math.min(wanted, Math.max(0, OPEN_FILES - 500));
  if (possible < wanted) {
    console.log(
      `Left out: ${wanted - possible} of ${wanted} connections (ulimit -n is ${OPEN_FILES})`,
    );
  }
  return possible;
}

function openFilesLimit(): number {
  try {
    const limit = execFileSync('sh', ['-c', 'ulimit -n']).toString().trim();
    return limit === 'unlimited' ? Infinity : Number(limit);
  } catch {
    return Infinity;
  }
}
