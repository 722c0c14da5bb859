import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { asking, type Person, person } from './support/admins.js';
import {
  changeAddress,
  CONFIRM,
  EXISTS,
  me,
  newUser,
  RESET,
  tokenOf,
  VERIFY,
  verifyAddress,
} from './support/addresses.js';
import { codeOf } from './support/http.js';
import { mailAbout, mailsOf, mailTo } from './support/mailbox.js';
import { latchkey } from './support/server-cli.js';
import { GOOD_PASSWORD, type Server, startServer } from './support/server.js';

/** Anybody can register with any address, so a registration must not keep its owner out. */
const LOST = 'An account has lost this address';

let server: Server;
let admin: Person;
let names = 0;
beforeAll(async () => {
  server = await startServer();
  admin = await person(server, 'root', ['admin']);
});
afterAll(() => server.stop());

/** A stranger's account with an address of its own, which it never verified. */
async function squatter() {
  const username = `squatter${++names}`;
  const email = `victim${names}@example.org`;
  await server.register(username, GOOD_PASSWORD, email);
  await mailTo(server, email);
  const { jwt } = await server.login(email);
  return { username, email, ...asking(server, jwt) };
}

/** What the account of a squatter is after it lost the address. */
async function expectLoss({ username, email, ask }: Awaited<ReturnType<typeof squatter>>) {
  expect((await ask('GET', '/me')).body).toMatchObject({ username, emailVerified: false });
  const { events } = (await ask('GET', '/me/export')).body as { events: { action: string }[] };
  expect(events.filter(({ action }) => action === 'email_lost')).toHaveLength(1);
  const { text, html } = await mailAbout(server, email, LOST);
  expect(`${text}${html}`).not.toMatch(/squatter|token=/);
  await expect(server.login(username)).resolves.toBeDefined();
}

describe('an unverified registration', () => {
  it('does not keep an administrator from making a verified user with its address', async () => {
    const stranger = await squatter();
    const { email } = stranger;
    const body = { username: `owner${++names}`, email };
    expect(await admin.outcome('POST', '/users', body)).toBe('email_taken');
    const made = await admin.ask('POST', '/users', { ...body, verified: true });
    expect([made.status, made.body]).toEqual([
      201,
      expect.objectContaining({ ...body, verified: true }),
    ]);
    const { token } = await mailAbout(server, email, RESET);
    await server.http.post('/password/reset').send({ token, password: GOOD_PASSWORD }).expect(204);
    const { jwt } = await server.login(email);
    const me = await server.get('/me', `Bearer ${jwt}`).expect(200);
    expect(me.body).toMatchObject({ id: made.body.id, email, emailVerified: true });
    await expectLoss(stranger);
  });

  it('does not keep an administrator from calling another account verified', async () => {
    const stranger = await squatter();
    const { email } = stranger;
    const { id } = await server.register(`owner${++names}`, GOOD_PASSWORD, email);
    const changed = await admin.ask('PATCH', `/users/${id}`, { verified: true });
    expect([changed.status, changed.body.verified]).toEqual([200, true]);
    const { jwt } = await server.login(email);
    expect((await server.get('/me', `Bearer ${jwt}`)).body).toMatchObject({ id });
    await expectLoss(stranger);
    // The stranger is not called verified against the account that is.
    const found = (await stranger.ask('GET', '/me')).body as { id: string };
    const refused = await admin.outcome('PATCH', `/users/${found.id}`, { verified: true });
    expect(refused).toBe('email_taken');
  });

  it('does not keep the command line or an import from making a verified user', async () => {
    const strangers = [await squatter(), await squatter()] as const;
    const [first, second] = strangers;
    const made = await latchkey(
      server,
      ['users', 'create', `owner${++names}`, '--email', first.email, '--verified', '--json'],
      { input: GOOD_PASSWORD },
    );
    expect(made).toMatchObject({ code: 0, stderr: '' });
    const path = join(server.database.dataDir, 'users.jsonl');
    const owner = `owner${++names}`;
    const record = { email: second.email, emailVerifiedAt: '2020-01-01T00:00:00Z' };
    const file = [
      { username: `unverified${names}`, email: second.email },
      { username: owner, ...record },
      { username: `twice${names}`, ...record },
    ];
    await writeFile(path, file.map((line) => JSON.stringify(line)).join('\n'));
    const imported = await latchkey(server, ['users', 'import', path, '--json']);
    expect(JSON.parse(imported.stdout)).toEqual({
      imported: 1,
      partial: 0,
      unchanged: 0,
      refused: 2,
    });
    for (const [stranger, name] of [
      [first, (JSON.parse(made.stdout) as { username: string }).username],
      [second, owner],
    ] as const) {
      const shown = await latchkey(server, ['users', 'show', stranger.email, '--json']);
      expect(JSON.parse(shown.stdout)).toMatchObject({ username: name, email: stranger.email });
      await expectLoss(stranger);
    }
  }, 300_000);

  it('keeps its address from an administrator who may do less than its user', async () => {
    await admin.ask('PUT', '/roles/clerk', { permissions: ['users:write'] });
    const clerk = await person(server, `clerk${++names}`, ['clerk']);
    const email = `chief${names}@example.org`;
    const chief = await person(server, `chief${names}`, ['admin'], email);
    const body = { username: `thief${names}`, email, verified: true };
    expect(await clerk.outcome('POST', '/users', body)).toBe('email_taken');
    const { id } = await server.register(`other${names}`, GOOD_PASSWORD, email);
    expect(await clerk.outcome('PATCH', `/users/${id}`, { verified: true })).toBe('email_taken');
    await expect(server.login(email)).resolves.toBeDefined();
    expect(await admin.outcome('PATCH', `/users/${id}`, { verified: true })).toBe(200);
    expect(await admin.outcome('PATCH', `/users/${chief.id}`, { roles: [] })).toBe(200);
  });

  it('keeps its address from a user whom an import refuses because of the name', async () => {
    const strangers = [await squatter(), await squatter()] as const;
    const [first, second] = strangers;
    const emailVerifiedAt = '2020-01-01T00:00:00Z';
    const look = (name: string) => name.replace('a', '\u0251');
    const file = [
      { username: look(first.username), email: first.email, emailVerifiedAt },
      { username: `owner${++names}`, email: second.email, emailVerifiedAt },
    ];
    const path = join(server.database.dataDir, 'refused.jsonl');
    await writeFile(path, file.map((line) => JSON.stringify(line)).join('\n'));
    const imported = await latchkey(server, ['users', 'import', path, '--json']);
    expect(JSON.parse(imported.stdout)).toMatchObject({ imported: 1, unchanged: 0, refused: 1 });
    await expect(server.login(first.email)).resolves.toBeDefined();
    const { events } = (await first.ask('GET', '/me/export')).body as { events: object[] };
    expect(events).not.toContainEqual(expect.objectContaining({ action: 'email_lost' }));
    await expectLoss(second);
  }, 300_000);

  it('loses to one of many that take its address at once', async () => {
    const stranger = await squatter();
    const { email } = stranger;
    const all = await Promise.all(
      Array.from({ length: 16 }, (_, index) =>
        admin.outcome('POST', '/users', { username: `many${index}`, email, verified: true }),
      ),
    );
    expect(all.sort()).toEqual([201, ...Array<string>(15).fill('email_taken')]);
    await expectLoss(stranger);
  });
});

describe('an address that two accounts name', () => {
  it('stays with who verified it; the owner is told, the second account is not', async () => {
    const owner = await newUser(server);
    await verifyAddress(server, owner.email);
    const answer = await server.http.post('/register').send({
      username: 'second',
      password: GOOD_PASSWORD,
      email: owner.email.toUpperCase(),
    });
    expect([answer.status, answer.body]).toEqual([
      201,
      {
        id: expect.any(String) as string,
        username: 'second',
        email: owner.email.toUpperCase(),
        roles: [],
        createdAt: expect.any(String) as string,
      },
    ]);
    const told = await mailAbout(server, owner.email, EXISTS);
    expect(`${told.text}${told.html}`).not.toMatch(/second|token=/);
    // The address still signs the owner in, and nobody else.
    await expect(server.login(owner.email)).resolves.toBeDefined();
    const { jwt } = await server.login('second');
    expect(await me(server, jwt)).toMatchObject({
      email: owner.email.toUpperCase(),
      emailVerified: false,
    });
    const mails = await mailsOf(server);
    expect(mails.filter(({ to }) => to === owner.email.toUpperCase())).toEqual([]);
  });

  it('goes to the mailbox owner where the first account never showed it to be theirs', async () => {
    const stranger = await newUser(server, { username: 'squatter', email: 'victim@example.org' });
    const victim = await newUser(server, { username: 'victim', email: 'Victim@example.org' });
    expect((await mailAbout(server, 'victim@example.org', EXISTS)).text).not.toContain('token=');
    const token = await tokenOf(server, 'Victim@example.org', VERIFY);
    expect(await codeOf(server.http.post('/email/verify').send({ token }))).toBe(204);
    expect(await me(server, victim.jwt)).toMatchObject({ emailVerified: true });
    expect(await me(server, stranger.jwt)).toMatchObject({ emailVerified: false });
    const { jwt } = await server.login('victim@example.org');
    expect(await me(server, jwt)).toMatchObject({ username: 'victim' });
    // It is on record, and does not show the squatter from where the victim came.
    const own = await server.get('/me/export', `Bearer ${stranger.jwt}`).expect(200);
    const lost = (own.body as { events: { action: string }[] }).events.at(-1);
    expect(lost).toEqual({
      createdAt: expect.any(String) as string,
      action: 'email_lost',
      ofThisUser: true,
      source: 'request',
      details: {},
    });
    // The squatter's own link, were it ever followed, comes too late.
    const late = await tokenOf(server, 'victim@example.org', VERIFY);
    expect(await codeOf(server.http.post('/email/verify').send({ token: late }))).toBe(
      'link_invalid',
    );
  });

  it('is not given to an account that asks for it, and the account does not learn why', async () => {
    const owner = await newUser(server);
    await verifyAddress(server, owner.email);
    const other = await newUser(server);
    expect(await codeOf(changeAddress(server, other.jwt, owner.email))).toBe(202);
    await mailAbout(server, owner.email, EXISTS);
    const mails = await mailsOf(server);
    expect(mails.filter(({ subject, to }) => subject === CONFIRM && to === owner.email)).toEqual(
      [],
    );
  });

  it('goes to one of two who take each other’s unverified address at the same moment', async () => {
    const pairs = Array.from({ length: 6 }, async () => {
      const [one, other] = [await newUser(server), await newUser(server)];
      await changeAddress(server, one.jwt, other.email);
      await changeAddress(server, other.jwt, one.email);
      const tokens = [
        await tokenOf(server, other.email, CONFIRM),
        await tokenOf(server, one.email, CONFIRM),
      ];
      const both = tokens.map((token) =>
        codeOf(server.http.post('/email/confirm').send({ token })),
      );
      return (await Promise.all(both)).sort();
    });
    expect(await Promise.all(pairs)).toEqual(pairs.map(() => [204, 'link_invalid']));
  });
});

it('a verified account keeps its address against all of them', async () => {
  const { email, ask } = await squatter();
  const { token } = await mailTo(server, email);
  await server.http.post('/email/verify').send({ token }).expect(204);
  const body = { username: `late${++names}`, email, verified: true };
  expect(await admin.outcome('POST', '/users', body)).toBe('email_taken');
  const args = ['users', 'create', `late${++names}`, '--email', email, '--verified'];
  const { code, stderr } = await latchkey(server, args, { input: GOOD_PASSWORD });
  expect([code, stderr]).toEqual([1, 'This e-mail address is taken\n']);
  const path = join(server.database.dataDir, 'late.jsonl');
  const line = { username: `late${++names}`, email, emailVerifiedAt: '2020-01-01T00:00:00Z' };
  await writeFile(path, JSON.stringify(line));
  const imported = await latchkey(server, ['users', 'import', path, '--json']);
  expect(JSON.parse(imported.stdout)).toEqual({
    imported: 0,
    partial: 0,
    unchanged: 0,
    refused: 1,
  });
  expect((await ask('GET', '/me')).body).toMatchObject({ email, emailVerified: true });
  await expect(server.login(email)).resolves.toBeDefined();
}, 300_000);
