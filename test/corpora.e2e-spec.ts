import { readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { GOOD_PASSWORD, type Server, startServer } from './support/server.js';

const dir = process.env.CORPORA_DIR;

/** Shows text and status where a status is not among the allowed ones. */
const outcome = (text: string, status: number | undefined, allowed: number[]) => ({
  text,
  status,
  allowed: allowed.includes(status ?? 0),
});

if (!dir) {
  it.skip('naughty strings (left out: CORPORA_DIR is not set)', () => undefined);
} else {
  const strings = JSON.parse(readFileSync(join(dir, 'blns.json'), 'utf8')) as string[];
  let server: Server;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.stop());

  it('reads the whole list', () => {
    expect(strings.length).toBeGreaterThan(500);
  });

  it('answers each naughty string as a username with 2xx or 4xx, and lets it log in', async () => {
    const registered: string[] = [];
    for (const username of strings) {
      const body = { username, password: GOOD_PASSWORD };
      const { status } = await server.http.post('/register').send(body);
      expect(outcome(username, status, [201, 400, 409])).toMatchObject({ allowed: true });
      const login = await server.http.post('/login').send(body);
      if (status === 201) registered.push(username);
      const expected = status === 400 ? [400, 401] : [200];
      expect(outcome(username, login.status, expected)).toMatchObject({ allowed: true });
    }
    expect(registered.length).toBeGreaterThan(50);
  });

  it('answers each naughty string as a password likewise', async () => {
    let registered = 0;
    for (const [index, password] of strings.entries()) {
      const body = { username: `naughty${index}`, password };
      const { status } = await server.http.post('/register').send(body);
      expect(outcome(password, status, [201, 400])).toMatchObject({ allowed: true });
      const login = await server.http.post('/login').send(body);
      const expected = status === 201 ? [200] : [400, 401];
      expect(outcome(password, login.status, expected)).toMatchObject({ allowed: true });
      if (status === 201) registered++;
    }
    expect(registered).toBeGreaterThan(100);
  });

  it('answers each naughty string as a header value and in the address likewise', async () => {
    for (const text of strings) {
      // A header's value is bytes; line ends and NUL cannot be sent at all.
      const value = Buffer.from(text.replaceAll(/[\0\r\n]/g, ' ')).toString('latin1');
      const attempts: Record<string, string>[] = [
        { authorization: value },
        { authorization: `Bearer ${value}` },
        { 'user-agent': value, 'x-forwarded-for': value, origin: value, 'content-type': value },
      ];
      for (const headers of attempts) {
        const status = await statusOf('GET', '/protected', headers);
        expect(outcome(text, status, [400, 401])).toMatchObject({ allowed: true });
      }
      // An empty text asks for `/`, which leads to the pages.
      const path = `/${encodeURIComponent(text.toWellFormed())}?q=${encodeURIComponent(text.toWellFormed())}`;
      const status = await statusOf('GET', path, {});
      expect(outcome(text, status, [200, 303, 404, 414])).toMatchObject({ allowed: true });
    }
  });

  const statusOf = (method: string, path: string, headers: Record<string, string>) =>
    new Promise<number | undefined>((resolve, reject) => {
      const { port } = server;
      // The parser of this client takes any byte, as a hostile client would send it.
      const options = { host: '127.0.0.1', port, method, path, headers, insecureHTTPParser: true };
      try {
        httpRequest(options, (response) => {
          response.resume().on('end', () => {
            resolve(response.statusCode);
          });
        })
          .on('error', reject)
          .end();
      } catch (error) {
        // Control characters that even this client does not send.
        if ((error as NodeJS.ErrnoException).code === 'ERR_INVALID_CHAR') resolve(400);
        else throw error;
      }
    });
}
