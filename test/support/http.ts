import { once } from 'node:events';
import { connect } from 'node:net';

/** The value of an `Authorization` header with an access token. */
export const bearer = (jwt: string) => `Bearer ${jwt}`;

/** What a server answered. */
export interface Answered<Body = Record<string, unknown>> {
  status: number;
  body: Body;
}

/** Sends a request, with `body` as JSON if there is one. */
export const send = (
  url: string,
  method: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Response> =>
  fetch(url, {
    method,
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });

/** Sends a request, with an access token if `jwt` is given. An empty answer reads as `{}`. */
export async function ask<Body = Record<string, unknown>>(
  url: string,
  method: string,
  path: string,
  body?: unknown,
  jwt?: string,
): Promise<Answered<Body>> {
  const headers: Record<string, string> = jwt === undefined ? {} : { authorization: bearer(jwt) };
  const response = await send(url + path, method, body, headers);
  const text = await response.text();
  return { status: response.status, body: (text === '' ? {} : JSON.parse(text)) as Body };
}

/** Returns the status of a success, or the code of a refusal. */
export async function codeOf(
  answer: PromiseLike<{ status: number; body: unknown }>,
): Promise<number | string> {
  const { status, body } = await answer;
  return status < 300 ? status : String((body as { code?: string }).code);
}

/** Returns the status of an answer, with the code of a refusal. */
export async function outcomeOf(
  answer: PromiseLike<{ status: number; body: unknown }>,
): Promise<[status: number, code: string | undefined]> {
  const { status, body } = await answer;
  return [status, (body as { code?: string }).code];
}

/** The first answer to bytes: its status, its body as JSON, and its head in lower case. */
interface RawAnswer {
  status: number;
  body: unknown;
  head: string;
}

/** Sends bytes as they are, and returns the first answer when the server has closed the connection. */
export async function sendRaw(
  port: number,
  bytes: string,
): Promise<Pick<RawAnswer, 'status' | 'body'>> {
  const { status, body } = await sendRawForHead(port, bytes);
  return { status, body };
}

/** Like {@link sendRaw}, with the head of the answer. */
export async function sendRawForHead(port: number, bytes: string): Promise<RawAnswer> {
  const socket = connect(port, '127.0.0.1');
  let answer = '';
  socket.on('data', (data) => (answer += data.toString()));
  // A server that refuses before all has arrived resets what is still being sent.
  socket.on('error', () => undefined);
  socket.write(bytes, 'latin1');
  await once(socket, 'close');
  const [head = '', body = ''] = answer.split('\r\n\r\n');
  const [, status] = head.split(' ');
  return {
    status: Number(status),
    body: JSON.parse(body || 'null') as unknown,
    head: head.toLowerCase(),
  };
}
