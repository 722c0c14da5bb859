import { User } from '../../src/users/user.entity.js';
import { mailsOf, type ReadMail } from './mailbox.js';
import { GOOD_PASSWORD, type Server } from './server.js';
import { until } from './wait.js';

/** An answer that is on its way, or has come. */
type Asked = PromiseLike<{ status: number; body: unknown }> | { status: number; body: unknown };

/** Tells whether a mail is one to sign in by. */
export const isSignIn = ({ link }: ReadMail) => link?.includes('/account/sign-in?') ?? false;

/** Helpers of the tests of sign-in by mail, for a server that starts later. */
export function mailSignIns(server: () => Server) {
  const seen = new Set<string>();
  let names = 0;

  /** Asks for a mail to sign in by. */
  const ask = (email: string, at = server()) => at.http.post('/login/mail').send({ email });

  return {
    ask,

    /** A registered user with an address, verified by default. */
    newUser: async ({ verified = true } = {}) => {
      const username = `mailer${++names}`;
      const email = `${username}@example.org`;
      const { id } = await server().register(username, GOOD_PASSWORD, email);
      if (verified) {
        await server().withDatabase((db) =>
          db.getRepository(User).update({ id }, { emailVerifiedAt: new Date() }),
        );
      }
      return { id, username, email };
    },

    /** The number of mails to sign in by, so far. */
    count: async () => (await mailsOf(server())).filter(isSignIn).length,

    /** Asks for a mail, and waits for it. `proof` is the body that signs in by its code. */
    asked: async (email: string, answer: Asked = ask(email)) => {
      const { status, body } = await answer;
      if (status !== 202) throw new Error(`login/mail: ${JSON.stringify(body)}`);
      const { challenge } = body as { challenge: string };
      const mail = await until(async () => {
        const mails = await mailsOf(server());
        return mails.find((one) => one.to === email && isSignIn(one) && !seen.has(one.messageId));
      }, `a mail to sign in by, to ${email}`);
      seen.add(mail.messageId);
      const { code = '', token = '' } = mail;
      return { ...mail, challenge, code, token, proof: { challenge, code } };
    },

    /** Sends a challenge with a code or a token. */
    verify: (body: object, at = server(), from?: string) => {
      const request = at.http.post('/login/mail/verify');
      if (from !== undefined) void request.set('x-forwarded-for', from);
      return request.send(body);
    },
  };
}
