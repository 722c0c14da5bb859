import {
  CHANGED,
  changeAddress,
  CONFIRM,
  move,
  newUser,
  RESET,
  tokenOf,
  VERIFY,
  verifyAddress,
} from './addresses.js';
import { mailsOf } from './mailbox.js';
import { isSignIn } from './mail-sign-ins.js';
import type { Server } from './server.js';
import { until } from './wait.js';

/** For each purpose, mails a good link to a user of its own and resolves to the token. */
const TOKENS = {
  'verify-email': async (server: Server) => tokenOf(server, (await newUser(server)).email, VERIFY),
  'reset-password': async (server: Server) => {
    const { email } = await newUser(server);
    await server.http.post('/password/forgot').send({ email }).expect(202);
    return tokenOf(server, email, RESET);
  },
  'confirm-email': async (server: Server) => {
    const { email, jwt } = await newUser(server);
    await changeAddress(server, jwt, `new-${email}`).expect(202);
    return tokenOf(server, `new-${email}`, CONFIRM);
  },
  'undo-email-change': async (server: Server) => {
    const { email, jwt } = await newUser(server);
    await verifyAddress(server, email);
    await move(server, jwt, `new-${email}`);
    return tokenOf(server, email, CHANGED);
  },
  /** The server needs `SIGN_IN_BY_MAIL=on`. */
  'sign-in': async (server: Server) => {
    const { email } = await newUser(server);
    await server.http.post('/login/mail').send({ email }).expect(202);
    const mail = await until(async () => {
      const mails = await mailsOf(server);
      return mails.find((one) => one.to === email && isSignIn(one));
    }, `a mail to sign in by, to ${email}`);
    return mail.token ?? '';
  },
};

export type Purpose = keyof typeof TOKENS;

/** The purposes of all mailed links. */
export const PURPOSES = Object.keys(TOKENS) as Purpose[];

/** Mails a good link for `purpose`. Resolves to its token, and to the path of its page. */
export async function mailedPage(
  server: Server,
  purpose: Purpose,
): Promise<{ token: string; path: string }> {
  const token = await TOKENS[purpose](server);
  return { token, path: `/account/${purpose}?token=${token}` };
}
