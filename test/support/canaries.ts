import { randomUUID } from 'node:crypto';
import { AuditService } from '../../src/audit/audit.service.js';
import { FailedLogins } from '../../src/audit/failed-logins.js';
import { runInContext } from '../../src/common/request-context.js';
import { Database } from '../../src/database/database.js';
import { UserChangesService } from '../../src/users/user-changes.service.js';
import { RESET, VERIFY } from './addresses.js';
import { bearer } from './http.js';
import { mailAbout } from './mailbox.js';
import { GOOD_PASSWORD, type Server } from './server.js';
import { claimsOf } from './tokens.js';

/** The address and the browser of canaries alone. Whatever they type contains `canary`. */
export const HOME = '203.0.113.77';
export const AGENT = 'a canary of a browser';
/** The address of all other users. */
export const ELSEWHERE = '198.51.100.9';

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

const credentials = (username: string) => ({ username, password: GOOD_PASSWORD });

/** A user with traces in every table. */
export type Canary = Awaited<ReturnType<Canaries['live']>>;
export type Canaries = Awaited<ReturnType<typeof canaries>>;

/** Makes an administrator, `boss`, and canaries. The server has to trust a proxy. */
export async function canaries(server: Server) {
  async function from(address: string, method: Method, path: string, body?: object, jwt?: string) {
    const asked = server.http[method](path).set('x-forwarded-for', address);
    if (address === HOME) void asked.set('user-agent', AGENT);
    if (jwt !== undefined) void asked.set('authorization', bearer(jwt));
    const response = await asked.send(body);
    return { ...(response.body as { jwt: string }), status: response.status };
  }
  /** Requests with a token, which have to succeed. */
  const asking =
    (jwt: string, address = ELSEWHERE) =>
    async (method: Method, path: string, body?: object) => {
      const answer = await from(address, method, path, body, jwt);
      if (answer.status >= 300) throw new Error(`${method} ${path}: ${JSON.stringify(answer)}`);
      return answer;
    };
  const signIn = async (username: string) => {
    const { jwt } = await from(HOME, 'post', '/login', credentials(username));
    return { own: asking(jwt, HOME), session: claimsOf(jwt).sid as string };
  };

  const { id: bossId } = await server.register('boss');
  await server.app.get(UserChangesService).setRoles(bossId, ['admin']);
  const boss = asking((await from(ELSEWHERE, 'post', '/login', credentials('boss'))).jwt);

  /** What a project's own route would record if an impersonator ended a session of the user there. */
  const onBehalf = (actorId: string, impersonatorId: string, address: string, session: string) =>
    runInContext(
      {
        source: 'request',
        requestId: randomUUID(),
        address,
        userAgent: address === HOME ? AGENT : null,
        actorId,
        impersonatorId,
      },
      () =>
        server.app.get(Database).transaction((manager) =>
          server.app.get(AuditService).record(manager, {
            action: 'session_ended',
            subjectId: actorId,
            details: { session },
          }),
        ),
    );

  let numbers = 0;
  /** Signs a canary up, and has it do and suffer everything that leaves a row. */
  async function live() {
    const number = ++numbers;
    const username = `Canary${number}`;
    const email = `${username}@example.org`;
    const body = { ...credentials(username), email };
    const { id } = (await from(HOME, 'post', '/register', body)) as unknown as { id: string };
    await mailAbout(server, email, VERIFY);
    const { own: first, session } = await signIn(username);
    await first('patch', '/me', { displayName: `A canary ${number}`, locale: 'en' });
    await first('put', '/me/email', { email: `new.${email}` });
    await from(HOME, 'post', '/password/forgot', { email });
    await mailAbout(server, email, RESET);
    await boss('post', `/users/${id}/impersonate`);
    await onBehalf(id, bossId, ELSEWHERE, session);
    await boss('patch', `/users/${id}`, { disabled: { reason: 'a canary of a reason' } });
    await boss('patch', `/users/${id}`, { disabled: null, roles: ['admin'] });
    const { own } = await signIn(username);
    const { id: other } = await server.register(`bystander${number}`);
    const theirs = claimsOf((await server.login(`bystander${number}`)).jwt).sid as string;
    await own('post', `/users/${other}/impersonate`);
    await onBehalf(other, id, HOME, theirs);
    await own('patch', `/users/${other}`, { disabled: { reason: 'too loud' } });
    await from(HOME, 'post', '/login', { username, password: 'not a password' });
    await server.app.get(FailedLogins).write();
    await from(HOME, 'post', '/login', { username, password: 'not a password' });
    return { id, email, own };
  }

  return { boss, live };
}
