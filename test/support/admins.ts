import { UserChangesService } from '../../src/users/user-changes.service.js';
import { type Server } from './server.js';
import { ask, codeOf } from './http.js';

/** A signed-in user, with roles that were given before. */
export type Person = Awaited<ReturnType<typeof person>>;

/** Registers and signs in a user of these roles. */
export async function person(server: Server, name: string, roles: string[] = [], email?: string) {
  const { id } = await server.register(name, undefined, email);
  if (roles.length > 0)
    await server.app.get(UserChangesService, { strict: false }).setRoles(id, roles);
  const tokens = await server.login(name);
  return { id, name, ...tokens, ...asking(server, tokens.jwt) };
}

/** Requests with an access token. */
export function asking(server: Server, jwt: string) {
  const asked = (method: string, path: string, body?: unknown) =>
    ask(server.url, method, path, body, jwt);
  return {
    ask: asked,
    /** See {@link codeOf}. */
    outcome: (method: string, path: string, body?: unknown) => codeOf(asked(method, path, body)),
  };
}
