import { UserChangesService } from '../../src/users/user-changes.service.js';
import { codeOf, type Server } from './server.js';

/** What a server answered: status, and body or the code of a refusal. */
export interface Answered {
  status: number;
  body: Record<string, unknown>;
}

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
  const ask = async (method: string, path: string, body?: unknown): Promise<Answered> => {
    const response = await fetch(server.url + path, {
      method,
      headers: {
        authorization: `Bearer ${jwt}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      body: (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>,
    };
  };
  return {
    ask,
    /** See {@link codeOf}. */
    outcome: (method: string, path: string, body?: unknown) => codeOf(ask(method, path, body)),
  };
}
