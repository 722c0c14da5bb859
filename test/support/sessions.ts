import { bearer, codeOf } from './http.js';
import type { Server } from './server.js';

/** The tokens of a login or a refresh. */
export interface Tokens {
  jwt: string;
  refresh_token: string;
}

/** Shows an access token; resolves to 200 or the code of the refusal. */
export const codeAt = (server: Server, jwt: string, path = '/protected') =>
  codeOf(server.get(path, bearer(jwt)));

/** Sends a refresh token; resolves to 200 or the code of the refusal. */
export const refreshCode = (server: Server, token: string) =>
  codeOf(server.http.post('/refresh').send({ refresh_token: token }));

export const logout = (server: Server, jwt: string, query = '') =>
  server.http.post(`/logout${query}`).set('authorization', bearer(jwt));

/** Shows a token until the answer is `code`; resolves to how long that took, in milliseconds. */
export async function timeUntil(server: Server, code: string, jwt: string, limit: number) {
  const began = performance.now();
  while ((await codeAt(server, jwt)) !== code) {
    if (performance.now() - began > limit) throw new Error(`no ${code} within ${limit} ms`);
  }
  return performance.now() - began;
}
