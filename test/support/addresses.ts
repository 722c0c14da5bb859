import { mailAbout } from './mailbox.js';
import { bearer } from './http.js';
import { GOOD_PASSWORD, type Server } from './server.js';

/** The subjects of mails to the address of an account. */
export const VERIFY = 'Confirm your e-mail address';
export const CONFIRM = 'Confirm your new e-mail address';
export const CHANGED = 'Your e-mail address was changed';
export const UNDONE = 'The change of your e-mail address was undone';
export const EXISTS = 'You already have an account';
export const RESET = 'Set a new password';

let names = 0;

/** Registers and signs in a user, with an address that no other user has. */
export async function newUser(server: Server, given: { username?: string; email?: string } = {}) {
  const { username = `user${++names}` } = given;
  const { email = `${username}@example.org` } = given;
  const { id } = await server.register(username, GOOD_PASSWORD, email);
  return { id, username, email, ...(await server.login(username)) };
}

/** The token of the newest mail about `subject`. */
export const tokenOf = async (server: Server, address: string, subject: string) =>
  (await mailAbout(server, address, subject)).token ?? '';

/** Verifies the address of a user by the link that was mailed there. */
export async function verifyAddress(server: Server, address: string): Promise<void> {
  const token = await tokenOf(server, address, VERIFY);
  await server.http.post('/email/verify').send({ token }).expect(204);
}

/** The user's own view of the account. */
export const me = async (server: Server, jwt: string) =>
  (await server.get('/me', bearer(jwt))).body as Record<string, unknown>;

/** Asks for another address, which its mailbox has to confirm. */
export const changeAddress = (
  server: Server,
  jwt: string,
  email: string,
  password = GOOD_PASSWORD,
) =>
  server.http
    .put('/me/email')
    .set('authorization', bearer(jwt))
    .send({ email, current_password: password });

/** Moves the account of `jwt` to `wanted`, whose mailbox confirms it. */
export async function move(server: Server, jwt: string, wanted: string): Promise<void> {
  await changeAddress(server, jwt, wanted).expect(202);
  const token = await tokenOf(server, wanted, CONFIRM);
  await server.http.post('/email/confirm').send({ token }).expect(204);
}
