import { Session } from '../../src/sessions/session.entity.js';
import { browser } from './pages.js';
import { GOOD_PASSWORD, type Server } from './server.js';

let users = 0;

/** Registers a user, and signs a browser in. */
export async function signedInBrowser(server: Server, email?: string) {
  const username = `owner${++users}`;
  const { id } = await server.register(username, GOOD_PASSWORD, email);
  const visitor = browser(server);
  await visitor.signIn(username, GOOD_PASSWORD);
  return { id, username, visitor };
}

/** Makes the last proof of a user's credentials an hour old, in all sessions. */
export const ageSessions = (server: Server, userId: string) =>
  server.withDatabase((db) =>
    db
      .createQueryBuilder()
      .update(Session)
      .set({ authenticatedAt: new Date(Date.now() - 3_600_000) })
      .where({ userId })
      .execute(),
  );
