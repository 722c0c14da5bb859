import { asking } from './admins.js';
import { ask } from './http.js';
import { Authenticator, type Changes, type Options } from './webauthn-authenticator.js';
import { GOOD_PASSWORD, type Server } from './server.js';

/** A server in this process or another one. */
type At = Pick<Server, 'url'>;

/** Sends JSON; resolves to the answer. */
export const post = ({ url }: At, path: string, body: object, jwt?: string) =>
  ask(url, 'POST', path, body, jwt);

/** The options of a ceremony. */
export const optionsOf = async (server: At, path: string, body: object = {}, jwt?: string) =>
  (await post(server, path, body, jwt)).body as unknown as Options;

/** Registers a passkey of `authenticator` for the user of a token. Resolves to the answer. */
export async function addPasskey(server: At, jwt: string, authenticator: Authenticator) {
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
  const { status, body } = await addPasskey(server, user.jwt, authenticator);
  if (status !== 201) throw new Error(`passkey: ${JSON.stringify(body)}`);
  return { ...user, authenticator, passkey: body as { id: string } };
}

/** Signs in by a passkey. Resolves to the answer. */
export async function signIn(server: At, authenticator: Authenticator, changes?: Changes) {
  const options = await optionsOf(server, '/login/passkey/options');
  return post(server, '/login/passkey', { response: authenticator.get(options, changes) });
}
