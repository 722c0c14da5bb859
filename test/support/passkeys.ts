import { asking } from './admins.js';
import { Authenticator, type Changes, type Options } from './webauthn-authenticator.js';
import { GOOD_PASSWORD, type Server } from './server.js';

/** The answer to a request, with a body of JSON. */
export async function post(server: Server, path: string, body: object, jwt?: string) {
  const asked = server.http.post(path);
  if (jwt !== undefined) void asked.set('authorization', `Bearer ${jwt}`);
  const answer = await asked.send(body);
  return { status: answer.status, body: answer.body as Record<string, unknown> };
}

/** The options of a ceremony. */
export const optionsOf = async (server: Server, path: string, body: object = {}, jwt?: string) =>
  (await post(server, path, body, jwt)).body as unknown as Options;

/** Registers a passkey of `authenticator` for the user of a token. Resolves to the answer. */
export async function enrol(server: Server, jwt: string, authenticator: Authenticator) {
  const options = await optionsOf(server, '/me/passkeys/options', {}, jwt);
  return post(server, '/me/passkeys', { response: authenticator.create(options) }, jwt);
}

/** The origin of a server's own pages. */
export const originOf = (server: Server) => new URL(server.config.publicUrl).origin;

let users = 0;

/** Registers and signs in a user. */
export async function newUser(server: Server, email?: string) {
  const username = `Passkey${++users}`;
  const { id } = await server.register(username, GOOD_PASSWORD, email);
  const { jwt } = await server.login(username);
  return { id, username, jwt, ...asking(server, jwt) };
}

/** Registers a user with one passkey. The token is that of the session that registered it. */
export async function userWithPasskey(server: Server, flags?: number, email?: string) {
  const user = await newUser(server, email);
  const authenticator = new Authenticator(originOf(server), flags);
  const { status, body } = await enrol(server, user.jwt, authenticator);
  if (status !== 201) throw new Error(`passkey: ${JSON.stringify(body)}`);
  return { ...user, authenticator, passkey: body as { id: string } };
}

/** Signs in by a passkey. Resolves to the answer. */
export async function signIn(server: Server, authenticator: Authenticator, changes?: Changes) {
  const options = await optionsOf(server, '/login/passkey/options');
  return post(server, '/login/passkey', { response: authenticator.get(options, changes) });
}
