import { VERIFY } from './addresses.js';
import { codeOf } from './http.js';
import { mailAbout } from './mailbox.js';
import { emptied } from './outbox.js';
import { GOOD_PASSWORD, type Server } from './server.js';

/** Helpers for servers with `IDENTIFIER=email`. */
let people = 0;

/** Returns an address that no other user has. */
export const newAddress = () => `person${++people}@example.org`;

/** Registers with an address. */
export const register = (server: Server, email: unknown, password: unknown = GOOD_PASSWORD) =>
  server.http.post('/register').send({ email, password });

/** Registers with an address, verifies it, and signs in. */
export async function member(server: Server, email = newAddress()) {
  await register(server, email).expect(202);
  await emptied(server);
  const { token } = await mailAbout(server, email, VERIFY);
  await server.http.post('/email/verify').send({ token }).expect(204);
  return { email, ...(await server.login(email)) };
}

/** Signs in. Returns the status of a success, or the code of the refusal. */
export const loginOf = (server: Server, username: string, password = GOOD_PASSWORD) =>
  codeOf(server.http.post('/login').send({ username, password }));

/** The answer of `GET /protected`, or the code of the refusal. */
export async function hello(server: Server, jwt: string): Promise<unknown> {
  const answer = await server.get('/protected', `Bearer ${jwt}`);
  return answer.status === 200 ? answer.body : (answer.body as { code: string }).code;
}
