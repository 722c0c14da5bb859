import { asking } from './admins.js';
import { type Answered, ask } from './http.js';
import { GOOD_PASSWORD, type Server } from './server.js';
import { TEST_CODE } from './test-factor.module.js';

/** Adds a test factor by a session. Resolves to the recovery codes, which come with the first factor. */
export async function addTestFactor(
  server: Server,
  jwt: string,
  name = 'My key',
): Promise<string[]> {
  const { status, body } = await asking(server, jwt).ask('POST', '/test-factors', { name });
  if (status !== 201) throw new Error(`test factor: ${JSON.stringify(body)}`);
  return body.recovery_codes as string[];
}

/** Logs a user with a second factor in, up to the challenge. */
export async function challengeOf(
  { url }: { url: string },
  username: string,
  password = GOOD_PASSWORD,
): Promise<string> {
  const { status, body } = await ask(url, 'POST', '/login', { username, password });
  if (body.code !== 'second_factor_required') {
    throw new Error(`login: ${status} ${String(body.code)}`);
  }
  return String(body.challenge);
}

/** Signs a user in by a password and a second factor. */
export async function signInByFactor(
  server: Server,
  username: string,
  proof: Record<string, string> = { code: TEST_CODE },
) {
  const challenge = await challengeOf(server, username);
  const response = await server.http.post('/login/second-factor').send({ challenge, ...proof });
  const answered: Answered = { status: response.status, body: response.body as Answered['body'] };
  if (answered.status !== 200) throw new Error(`second factor: ${JSON.stringify(answered.body)}`);
  return answered.body as { jwt: string; refresh_token: string };
}

/** Exchanges a refresh token; resolves to the new tokens. */
export async function refresh(server: Server, refreshToken: string) {
  const response = await server.http.post('/refresh').send({ refresh_token: refreshToken });
  if (response.status !== 200) throw new Error(`refresh: ${JSON.stringify(response.body)}`);
  return response.body as { jwt: string; refresh_token: string };
}
