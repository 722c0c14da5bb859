import { randomBytes } from 'node:crypto';
import { type Answered, ask } from './http.js';

/** The tokens of a session. */
interface Session {
  jwt: string;
  refreshToken: string;
  /** Access tokens that a refresh replaced: good until they expire, as long as the session lives. */
  older: string[];
}

/** A request that writes. Sent and not answered, it was done or it was not. */
export type Change =
  | { kind: 'register' }
  | { kind: 'login' }
  | { kind: 'refresh'; session: Session }
  | { kind: 'logout'; session: Session }
  | { kind: 'password'; session: Session; password: string };

/** What an answer says. */
type Answer = Answered<{ code?: string; jwt?: string; refresh_token?: string }>;

/** A user, and what servers have acknowledged about it. */
export class CrashAccount {
  readonly username = `user-${randomBytes(8).toString('hex')}`;
  /** What was sent and not answered. */
  inDoubt: Change | undefined;
  private password = newPassword();
  private readonly replaced: string[] = [];
  private living: Session[] = [];
  private readonly ended: Session[] = [];

  /** A change of this kind; a login where there is no session for it. */
  change(kind: Change['kind']): Change {
    const session = this.living.at(-1);
    if (kind === 'register') return { kind };
    if (kind === 'login' || !session) return { kind: 'login' };
    if (kind === 'password') return { kind, session, password: newPassword() };
    return { kind, session };
  }

  /** Resolves when the whole answer is there; rejects where none came. */
  send(url: string, change: Change): Promise<Answer> {
    const { username, password } = this;
    switch (change.kind) {
      case 'register':
        return ask(url, 'POST', '/register', { username, password });
      case 'login':
        return this.login(url, password);
      case 'refresh':
        return refresh(url, change.session);
      case 'logout':
        return ask(url, 'POST', '/logout', undefined, change.session.jwt);
      case 'password': {
        const body = { current_password: password, new_password: change.password };
        return ask(url, 'PUT', '/me/password', body, change.session.jwt);
      }
    }
  }

  /** Notes that a change was made. */
  apply(change: Change, body: Answer['body'] = {}): void {
    switch (change.kind) {
      case 'login':
        this.living.push({ ...tokensOf(body), older: [] });
        break;
      case 'refresh':
        moveOn(change.session, body);
        break;
      case 'logout':
        this.end([change.session]);
        break;
      case 'password':
        this.replaced.push(this.password);
        this.password = change.password;
        this.end(this.living.filter((session) => session !== change.session));
    }
  }

  /**
   * What of this account is not as it was acknowledged. What is in doubt is settled by what is found, and
   * the rest has to agree with it.
   */
  async compare(url: string): Promise<string[]> {
    const wrong: string[] = [];
    const expectThat = (what: string, found: unknown, expected: unknown) => {
      if (found !== expected) wrong.push(`${this.username}: ${what}: ${String(found)}`);
    };
    const settled = this.inDoubt;
    this.inDoubt = undefined;
    if (settled?.kind === 'register') {
      // One that was stored keeps its name, and then its password is good as well.
      const { status, body } = await this.send(url, settled);
      if (status !== 201) expectThat('registration in doubt', body.code, 'username_taken');
    } else if (settled?.kind === 'password') {
      const { status } = await this.login(url, settled.password);
      if (status === 200) this.apply(settled);
      else this.replaced.push(settled.password);
    } else if (settled?.kind === 'logout') {
      if ((await stateOf(url, settled.session)) === 'ended') this.apply(settled);
    }

    expectThat('password', (await this.login(url, this.password)).status, 200);
    for (const password of this.replaced) {
      expectThat('old password', (await this.login(url, password)).body.code, 'bad_credentials');
    }
    for (const session of this.living) {
      expectThat('living session', await stateOf(url, session), 'living');
    }
    for (const session of this.ended) {
      expectThat('ended session', await stateOf(url, session), 'ended');
    }
    return wrong;
  }

  private login(url: string, password: string): Promise<Answer> {
    return ask(url, 'POST', '/login', { username: this.username, password });
  }

  private end(sessions: Session[]): void {
    this.ended.push(...sessions);
    this.living = this.living.filter((session) => !sessions.includes(session));
  }
}

const newPassword = () => randomBytes(12).toString('base64url');

const tokensOf = ({ jwt = '', refresh_token: refreshToken = '' }: Answer['body']) => ({
  jwt,
  refreshToken,
});

function moveOn(session: Session, body: Answer['body']): void {
  session.older.push(session.jwt);
  Object.assign(session, tokensOf(body));
}

/** Whether all tokens of a session are good (it moves on by that) or all are refused; else each. */
async function stateOf(url: string, session: Session): Promise<string> {
  const found: (string | number)[] = [];
  for (const jwt of [...session.older, session.jwt]) {
    const { status, body } = await ask<Answer['body']>(url, 'GET', '/protected', undefined, jwt);
    found.push(body.code ?? status);
  }
  const { status, body } = await refresh(url, session);
  const refreshed = body.code ?? status;
  if (refreshed === 200 && found.every((code) => code === 200)) {
    moveOn(session, body);
    return 'living';
  }
  if (refreshed === 'session_ended' && found.every((code) => code === 'token_revoked')) {
    return 'ended';
  }
  return [...found, refreshed].join(' ');
}

const refresh = (url: string, { refreshToken }: Session): Promise<Answer> =>
  ask(url, 'POST', '/refresh', { refresh_token: refreshToken });
