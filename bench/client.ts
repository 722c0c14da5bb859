import { Agent, request } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import type { Child } from './child.js';
import { USER } from './stage.js';

const agent = new Agent({ keepAlive: true, maxSockets: 256 });

/** An answer, and the milliseconds to its last byte. */
export interface Answer<T> {
  status: number;
  body: T;
  ms: number;
}

/** The answer to a sign-in. The documentation's sample has its own name for the token. */
export interface Tokens {
  jwt: string;
  refresh_token: string;
}

/** Sends one request, over a connection kept open. */
export function ask<T = unknown>(
  server: Pick<Child, 'url'>,
  method: 'GET' | 'POST',
  path: string,
  { body, jwt }: { body?: object; jwt?: string } = {},
): Promise<Answer<T>> {
  return new Promise((done, failed) => {
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const began = performance.now();
    const asked = request(server.url + path, {
      method,
      agent,
      headers: {
        ...(jwt !== undefined && { authorization: `Bearer ${jwt}` }),
        ...(payload !== undefined && {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(payload),
        }),
      },
    });
    asked.once('error', failed);
    asked.once('response', (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.once('error', failed);
      response.once('end', () => {
        const ms = performance.now() - began;
        done({ status: response.statusCode ?? 0, body: JSON.parse(text || 'null') as T, ms });
      });
    });
    asked.end(payload);
  });
}

/** Like {@link ask}, but throws unless the answer is a success. */
export async function askWell<T>(...args: Parameters<typeof ask>): Promise<Answer<T>> {
  const answer = await ask<T>(...args);
  if (answer.status >= 300) {
    throw new Error(`${args[1]} ${args[2]}: ${answer.status} ${JSON.stringify(answer.body)}`);
  }
  return answer;
}

export async function register(server: Child, user = USER): Promise<void> {
  await askWell(server, 'POST', '/register', { body: user });
}

/** Signs in `count` times, a few at once, so that no queue of the server is too long. */
export async function signIn(server: Child, count: number, user = USER): Promise<Tokens[]> {
  const tokens: Tokens[] = [];
  const one = async () => {
    while (tokens.length < count) {
      const { body } = await askWell<Tokens>(server, 'POST', '/login', { body: user });
      tokens.push(body);
    }
  };
  await Promise.all([one(), one(), one()]);
  return tokens.slice(0, count);
}

/** Exchanges a refresh token for new tokens. */
export function exchange(server: Child, refreshToken: string): Promise<Answer<Tokens>> {
  return askWell(server, 'POST', '/refresh', { body: { refresh_token: refreshToken } });
}

/**
 * Sends enough requests for V8 to compile the server's code, as after a while in service. Refreshes share most
 * of their code with logins, which take too long.
 */
export async function warmUp(server: Child, count: number): Promise<void> {
  const [tokens] = await signIn(server, 1);
  let token = tokens?.refresh_token ?? '';
  for (let i = 0; i < count; i++) token = (await exchange(server, token)).body.refresh_token;
}

/** Waits until the server has no login left to answer. */
export async function settle(server: Child): Promise<void> {
  for (let i = 0; i < 240; i++) {
    const { status } = await ask(server, 'POST', '/login', { body: USER });
    if (status === 200) return;
    await setTimeout(250);
  }
  throw new Error(`${server.name} does not recover`);
}
