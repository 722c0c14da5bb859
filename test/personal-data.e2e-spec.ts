import { randomUUID } from 'node:crypto';
import { FailedLogins } from '../src/audit/failed-logins.js';
import { MIGRATIONS_TABLE, tableNames } from '../src/database/migration-state.js';
import { RecoveryCode } from '../src/factors/recovery-code.entity.js';
import { SignInChallenge } from '../src/factors/sign-in-challenge.entity.js';
import { MailItem } from '../src/mail/mail-item.entity.js';
import { MailChallenge } from '../src/mail-sign-in/mail-challenge.entity.js';
import { TotpFactor } from '../src/totp/totp-factor.entity.js';
import { Passkey } from '../src/passkeys/passkey.entity.js';
import { WebauthnChallenge } from '../src/passkeys/webauthn-challenge.entity.js';
import { WebauthnHandle } from '../src/passkeys/webauthn-handle.entity.js';
import { User } from '../src/users/user.entity.js';
import { sealAll, verify } from './support/audit.js';
import {
  AGENT,
  canaries,
  type Canaries,
  type Canary,
  ELSEWHERE,
  HOME,
} from './support/canaries.js';
import { rows as mailRows } from './support/outbox.js';
import {
  allTold,
  changeEvents,
  type Receiver,
  startReceiver,
  storedEvents,
  telling,
  tryAgain,
} from './support/receiver.js';
import { isOwnClass } from './support/rooms.js';
import { type Server, startServer } from './support/server.js';
import { until } from './support/wait.js';

let receiver: Receiver;
let server: Server;
let boss: Canaries['boss'];
let live: Canaries['live'];
beforeAll(async () => {
  receiver = await startReceiver(() => 500);
  server = await startServer(telling(receiver, { TRUST_PROXY: '1' }));
  ({ boss, live } = await canaries(server));
});
afterAll(async () => {
  await server.stop();
  await receiver.stop();
});

/** Every row of every table, as one text each, column by column. */
const everything = () =>
  server.withDatabase(async (db) => {
    const names = await tableNames(db.createQueryRunner());
    const tables = names.filter((name) => name !== MIGRATIONS_TABLE);
    // None of them is passed over.
    expect(tables).toEqual(db.entityMetadatas.map(({ tableName }) => tableName).sort());
    const found: [column: string, value: string][] = [];
    for (const name of tables) {
      for (const row of await db.query<object[]>(`SELECT * FROM ${name}`)) {
        const values = Object.entries(row) as [string, unknown][];
        found.push(
          ...values.map(([column, value]): [string, string] => [
            `${name}.${column}`,
            String(value),
          ]),
        );
      }
    }
    return found;
  });
const columnsWith = (cells: [column: string, value: string][], text: string) => [
  ...new Set(cells.filter(([, value]) => value.includes(text)).map(([column]) => column)),
];

/** Where the id of who is gone stays; it refers to nobody any more. */
const ID_STAYS = [
  // What happened, and by whom, for as long as the audit is kept.
  'audit_events.actor_id',
  'audit_events.impersonator_id',
  'audit_events.subject_id',
  // So that living access tokens are refused, for as long as they would be good.
  'revocations.user_id',
  // That the user is gone, which the receiver has not been told yet.
  'webhook_outbox.payload',
  'webhook_outbox.user_id',
];

describe('deleting an account', () => {
  it.each<[string, (user: Canary) => Promise<unknown>]>([
    ['by DELETE /me', ({ own }) => own('delete', '/me')],
    ['by DELETE /users/:id', ({ id }) => boss('delete', `/users/${id}`)],
  ])('%s leaves no row with anything of the user', async (_how, remove) => {
    const user = await live();
    const before = await everything();
    expect(columnsWith(before, user.id).length).toBeGreaterThan(ID_STAYS.length);
    for (const text of ['anary', HOME]) {
      expect(columnsWith(before, text).length).toBeGreaterThan(1);
    }
    await remove(user);
    // What waits is written, sent or given up.
    await server.app.get(FailedLogins).write(true);
    await until(async () => (await mailRows(server)).length === 0, 'mails');
    await until(
      async () => (await storedEvents(server)).some(({ failure }) => failure !== null),
      'a failed try',
    );
    await changeEvents(server, { expiresAt: new Date() });
    await tryAgain(server);
    await allTold(server);
    const after = await everything();
    expect(columnsWith(after, user.id).sort()).toEqual(ID_STAYS);
    for (const text of ['anary', HOME]) expect(columnsWith(after, text)).toEqual([]);
    await sealAll(server);
    expect((await verify(server)).faults).toEqual([]);
  });
});

describe('GET /me/export', () => {
  const SECRET = 'lets somebody in';
  const INNER = 'of no use outside of the database';
  const SAID = 'said elsewhere in the document';
  const OTHERS = 'what others wrote, or what others see';
  /** Under which name the document has a table's rows, and which columns it leaves out. */
  const EXPORTED: Record<string, { as: string; without: Record<string, string> }> = {
    users: {
      as: 'user',
      without: {
        passwordHash: SECRET,
        usernameKey: SAID,
        emailKey: SAID,
        disabledReason: OTHERS,
      },
    },
    username_claims: { as: 'names', without: { userId: SAID } },
    sessions: { as: 'sessions', without: { salt: SECRET } },
    one_time_tokens: {
      as: 'links',
      without: {
        tokenHash: SECRET,
        codeMac: SECRET,
        codeAttempts: INNER,
        guard: INNER,
        slot: INNER,
        payload: SAID,
        userId: SAID,
      },
    },
    recovery_codes: { as: 'recoveryCodes', without: { id: INNER, mac: SECRET, userId: SAID } },
    sign_in_challenges: {
      as: 'signInChallenges',
      without: { tokenHash: SECRET, guard: INNER, browserHash: SECRET, userId: SAID },
    },
    totp_factors: {
      as: 'authenticatorApps',
      without: {
        id: INNER,
        sealed: SECRET,
        sealedBy: INNER,
        lastStep: INNER,
        userId: SAID,
      },
    },
    mail_challenges: {
      as: 'mailChallenges',
      without: {
        challengeHash: SECRET,
        tokenHash: SECRET,
        accountKey: INNER,
        address: OTHERS,
        userAgent: OTHERS,
        userId: SAID,
      },
    },
    passkeys: { as: 'passkeys', without: { userId: SAID } },
    webauthn_handles: { as: 'passkeyHandle', without: { userId: SAID } },
    webauthn_challenges: {
      as: 'passkeyCeremonies',
      without: { challengeHash: SECRET, userId: SAID },
    },
    mail_outbox: {
      as: 'mails',
      without: {
        sealed: SECRET,
        id: INNER,
        dueAt: INNER,
        expiresAt: INNER,
        failure: INNER,
        request: INNER,
        userId: SAID,
      },
    },
    audit_events: {
      as: 'events',
      without: {
        id: INNER,
        originSalt: INNER,
        originDigest: INNER,
        mac: INNER,
        seq: INNER,
        hash: INNER,
        subjectId: OTHERS,
        actorId: OTHERS,
        impersonatorId: OTHERS,
      },
    },
    webhook_outbox: {
      as: 'webhooks',
      without: {
        id: INNER,
        position: INNER,
        dueAt: INNER,
        createdAt: INNER,
        expiresAt: INNER,
        failure: INNER,
        payload: SAID,
        type: SAID,
        userId: SAID,
      },
    },
  };
  const NOT_EXPORTED: Record<string, string> = {
    user_roles: 'said by the roles of `user`',
    revocations: 'says of sessions and tokens that they have ended, until they would have expired',
    roles: 'about nobody',
    audit_marks: 'about nobody',
    audit_keys: 'about nobody',
    browser_sessions: 'the hash of a cookie; its session is among the `sessions`',
    code_misses: 'about nobody',
    password_costs: 'about nobody',
  };

  it('has every table and column that is about the user, or there is a reason', async () => {
    const { id, own } = await live();
    // One that waits: the others have been sent. Only who has verified the address is shown mails to it.
    const later = new Date(Date.now() + 86_400_000);
    await server.withDatabase(async (db) => {
      await db.getRepository(User).update({ id }, { emailVerifiedAt: new Date() });
      await db.getRepository(MailItem).insert({
        id: randomUUID(),
        userId: id,
        template: 'account-updated',
        sealed: 'not looked at',
        createdAt: new Date(),
        expiresAt: later,
        dueAt: later,
      });
      const ofUser = { userId: id, createdAt: new Date(), usedAt: null };
      await db.getRepository(RecoveryCode).insert({ ...ofUser, id: randomUUID(), mac: 'mac' });
      const app = { userId: id, name: 'A phone', sealed: 'sealed', sealedBy: 'mark' };
      const times = { createdAt: new Date(), confirmedAt: null, lastUsedAt: null };
      await db.getRepository(TotpFactor).insert({ ...app, ...times, id: randomUUID() });
      const challenge = { userId: id, tokenHash: 'hash', amr: 'pwd', guard: 'guard', usedAt: null };
      await db.getRepository(SignInChallenge).insert({ ...challenge, expiresAt: later });
      const asked = { challengeHash: 'hash', accountKey: 'key', address: ELSEWHERE, userAgent: '' };
      const { createdAt } = ofUser;
      const mailed = { ...asked, createdAt, expiresAt: later, userId: id };
      await db.getRepository(MailChallenge).insert(mailed);
      await db.getRepository(Passkey).insert({
        ...{ id: randomUUID(), userId: id, credentialId: 'AAAA', publicKey: 'AAAA', signCount: 1 },
        ...{ rpId: 'localhost', transports: 'usb', aaguid: randomUUID(), backupEligible: false },
        ...{ backedUp: false, name: 'My key', createdAt: new Date(), lastUsedAt: null },
      });
      await db.getRepository(WebauthnHandle).insert({ userId: id, handle: 'handle' });
      const ceremony = { userId: id, ceremony: 'registration' as const, expiresAt: later };
      await db.getRepository(WebauthnChallenge).insert({ ...ceremony, challengeHash: 'hash' });
    });
    const document = (await own('get', '/me/export')) as unknown as Record<string, unknown>;
    const entities = await server.withDatabase((db) => Promise.resolve(db.entityMetadatas));
    const latchkeys = entities.filter(({ name }) => !isOwnClass(name));
    expect(latchkeys.map(({ tableName }) => tableName).sort()).toEqual(
      [...Object.keys(EXPORTED), ...Object.keys(NOT_EXPORTED)].sort(),
    );
    for (const { tableName, columns } of latchkeys) {
      const exported = EXPORTED[tableName];
      if (!exported) continue;
      const rows = [document[exported.as]].flat() as object[];
      const shown = new Set(rows.flatMap((row) => Object.keys(row)));
      const left = columns
        .map(({ propertyName }) => propertyName)
        .filter((name) => !shown.has(name) && !(name in exported.without));
      expect([tableName, left]).toEqual([tableName, []]);
    }
  });

  it('says of what happened where from, by which request and with what, but nothing of others', async () => {
    const { own } = await live();
    const { events } = (await own('get', '/me/export')) as unknown as { events: object[] };
    const about = (action: string) =>
      events.filter((event) => (event as { action: string }).action === action);
    const uuid = expect.stringMatching(/^[0-9a-f-]{36}$/) as string;
    const [first] = about('login');
    expect(first).toEqual({
      createdAt: expect.any(String) as string,
      action: 'login',
      ofThisUser: true,
      source: 'request',
      address: HOME,
      userAgent: AGENT,
      requestId: uuid,
      details: { session: uuid, amr: 'pwd' },
    });
    // By an administrator, and on behalf of the user: address and request are theirs.
    const common = { createdAt: expect.any(String) as string, source: 'request' };
    expect(about('role_changed')).toEqual([
      { ...common, action: 'role_changed', ofThisUser: true, details: { roles: 'admin' } },
    ]);
    expect(about('session_ended')).toEqual([
      { ...common, action: 'session_ended', ofThisUser: true, details: { session: uuid } },
      // On behalf of somebody else, from the user's own address.
      {
        ...common,
        action: 'session_ended',
        ofThisUser: false,
        address: HOME,
        userAgent: AGENT,
        requestId: uuid,
      },
    ]);
    // To somebody else: what was done to them is theirs.
    const [, done] = about('user_disabled');
    expect(done).toMatchObject({ ofThisUser: false, address: HOME, requestId: uuid });
    expect(done).not.toHaveProperty('details');
    expect(JSON.stringify(events)).not.toContain(ELSEWHERE);
  });
});
