import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import pg from 'pg';
import { postgresClientClass, postgresClientOptions } from '../src/database/postgres-client.js';
import { type Cluster, postgresPrograms, startCluster } from './support/cluster.js';

const TIMES = { timeout: 1, waitTimeout: 1 };

/** Connects, asks whether it is by TLS, and leaves. */
async function usesTls(url: string): Promise<boolean> {
  const client = new (postgresClientClass())(postgresClientOptions(url, TIMES));
  await client.connect();
  try {
    const { rows } = await client.query<{ ssl: boolean }>(
      'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()',
    );
    return rows[0]?.ssl === true;
  } finally {
    await client.end();
  }
}

describe('a server that is none', () => {
  let heard: Buffer[];
  let answer: (socket: Socket, message: Buffer) => void;
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.on('data', (message) => {
      heard.push(message);
      answer(socket, message);
    });
  });
  let url: string;
  beforeAll(async () => {
    await once(server.listen(0, '127.0.0.1'), 'listening');
    url = `postgres://ada@127.0.0.1:${(server.address() as AddressInfo).port}/db`;
  });
  beforeEach(() => {
    heard = [];
  });
  afterAll(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });

  const SSL_REQUEST = Buffer.from('0000000804d2162f', 'hex');
  const connect = (query: string) =>
    new (postgresClientClass())(postgresClientOptions(url + query, TIMES)).connect();

  it.each([
    ['', 'goes on in the clear'],
    ['?sslmode=require', 'gives up'],
    ['?sslmode=verify-full', 'gives up'],
  ])('has no TLS: with %j the client %s', async (query, expected) => {
    answer = (socket) => {
      if (heard.length === 1) socket.write('N');
      else socket.destroy();
    };
    await expect(connect(query)).rejects.toThrow();
    expect(heard[0]).toEqual(SSL_REQUEST);
    const startup = heard.slice(1).map((message) => message.includes('user\0ada\0'));
    expect(startup).toEqual(expected === 'gives up' ? [] : [true]);
  });

  it('is not asked for TLS with sslmode=disable', async () => {
    answer = (socket) => socket.destroy();
    await expect(connect('?sslmode=disable')).rejects.toThrow();
    expect(heard.map((message) => message.includes('user\0ada\0'))).toEqual([true]);
  });

  /** A message of PostgreSQL's protocol: its letter, its length, and what is in it. */
  const message = (letter: string, content: Buffer) => {
    const length = Buffer.alloc(4);
    length.writeInt32BE(content.length + 4);
    return Buffer.concat([Buffer.from(letter), length, content]);
  };
  const welcome = Buffer.concat([message('R', Buffer.alloc(4)), message('Z', Buffer.from('I'))]);
  const shutdown = message('E', Buffer.from('SFATAL\0VFATAL\0C57P01\0Mterminating connection\0\0'));

  it.each<[string, (socket: Socket) => void]>([
    ['after its welcome', (socket) => socket.end(Buffer.concat([welcome, shutdown]))],
    ['and says so while the session is set up', (socket) => socket.write(welcome)],
    ['without a word', (socket) => socket.end(welcome)],
    ['by a reset', (socket) => socket.write(welcome, () => socket.resetAndDestroy())],
  ])('goes away %s: connecting fails, and the process lives on', async (_how, leave) => {
    answer = (socket) => {
      if (heard.length === 1) leave(socket);
      else socket.end(shutdown);
    };
    await expect(connect('?sslmode=disable')).rejects.toThrow();

    const { Pool } = pg;
    heard = [];
    const pool = new Pool({
      ...postgresClientOptions(`${url}?sslmode=disable`, TIMES),
      Client: postgresClientClass(),
    } as unknown as pg.PoolConfig);
    pool.on('error', () => undefined);
    await expect(pool.query('SELECT 1')).rejects.toThrow();
    await pool.end();
  });

  it('is silent: the client gives up after the time of the settings', async () => {
    answer = () => undefined;
    const began = performance.now();
    await expect(connect('')).rejects.toThrow('timeout expired');
    expect(performance.now() - began).toBeGreaterThan(900);
  });
});

if (postgresPrograms !== undefined && process.env.TEST_OPENSSL !== undefined) {
  describe('PostgreSQL with TLS', () => {
    let cluster: Cluster;
    beforeAll(async () => {
      cluster = await startCluster((dir) => {
        const file = (name: string) => join(dir, name);
        const certify = (name: string, ...how: string[]) => {
          const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
          const files = ['-keyout', file(`${name}.key`), '-out', file(`${name}.pem`)];
          const args = ['req', '-x509', ...key, ...files, '-subj', `/CN=${name}`, ...how];
          execFileSync('openssl', args, { stdio: 'pipe' });
        };
        certify('ca');
        certify('other');
        const signer = ['-CA', file('ca.pem'), '-CAkey', file('ca.key')];
        certify('localhost', ...signer, '-addext', 'subjectAltName=DNS:localhost');
        return [
          'ssl=on',
          `ssl_cert_file=${file('localhost.pem')}`,
          `ssl_key_file=${file('localhost.key')}`,
        ];
      });
    });
    afterAll(() => cluster.remove());

    const address = (host: string, query: string) =>
      `postgres://postgres@${host}:${cluster.port}/postgres?${query}`.replace(
        /sslrootcert=(ca|other)/,
        (_all, name: string) => `sslrootcert=${join(cluster.dir, name)}.pem`,
      );

    it.each([
      ['127.0.0.1', '', true],
      ['127.0.0.1', 'sslmode=disable', false],
      ['127.0.0.1', 'sslmode=prefer', true],
      ['127.0.0.1', 'sslmode=require', true],
      ['127.0.0.1', 'sslmode=verify-ca&sslrootcert=ca', true],
      ['localhost', 'sslmode=verify-full&sslrootcert=ca', true],
    ])('is reached as %s with %j, by TLS: %s', async (host, query, tls) => {
      expect(await usesTls(address(host, query))).toBe(tls);
    });

    it.each(['require', 'verify-full', 'prefer'])(
      'is reached by its Unix socket without TLS, with sslmode=%s',
      async (mode) => {
        const query = `host=${cluster.dir}&port=${cluster.port}&sslmode=${mode}`;
        expect(await usesTls(`postgres://postgres@/postgres?${query}`)).toBe(false);
      },
    );

    it.each([
      ['localhost', 'sslmode=verify-full', 'self-signed certificate|unable to'],
      ['localhost', 'sslmode=verify-full&sslrootcert=other', 'certificate'],
      ['127.0.0.1', 'sslmode=verify-full&sslrootcert=ca', 'does not match'],
      ['127.0.0.1', 'sslmode=verify-ca&sslrootcert=other', 'certificate'],
      ['127.0.0.1', 'sslmode=require&sslrootcert=other', 'certificate'],
    ])('is not trusted as %s with %j', async (host, query, message) => {
      await expect(usesTls(address(host, query))).rejects.toThrow(new RegExp(message));
    });
  });
}
