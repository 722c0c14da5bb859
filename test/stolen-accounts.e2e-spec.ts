import jwt from 'jsonwebtoken';
import { AuthHooks } from '../src/auth/hooks.js';
import { PasswordsService } from '../src/passwords/passwords.service.js';
import type { User } from '../src/users/user.entity.js';
import { UserChangesService } from '../src/users/user-changes.service.js';
import { asking, person } from './support/admins.js';
import { CHANGED, move, RESET, tokenOf, UNDONE, verifyAddress } from './support/addresses.js';
import { addApp } from './support/authenticator.js';
import { codeOf } from './support/http.js';
import { mailAbout } from './support/mailbox.js';
import { addPasskey, newUser, originOf, signIn } from './support/passkeys.js';
import { latchkey } from './support/server-cli.js';
import { GOOD_PASSWORD, type Server, startServer } from './support/server.js';
import { Authenticator } from './support/webauthn-authenticator.js';

/** A stranger has had an account for a while: which of the stranger's factors stay, and what they open. */
let server: Server;
beforeAll(async () => {
  server = await startServer({ MFA_REQUIRED: 'keeper' }, (builder) =>
    builder.overrideProvider(AuthHooks).useClass(OwnHooks),
  );
});
afterAll(() => server.stop());

/** Another service grants something by a claim of a project. */
class OwnHooks extends AuthHooks {
  override claims({ roles }: User) {
    return { plan: roles.join(' ') };
  }
}

const PASSWORD = 'another good passphrase';
const setTimes = (table: string, userId: string, ms: number) =>
  server.withDatabase((db) =>
    db.query(`UPDATE ${table} SET created_at = ${Date.now() + ms} WHERE user_id = '${userId}'`),
  );
let owners = 0;
/** A user with a verified address. */
async function owner() {
  const email = `owner${++owners}@example.org`;
  const user = await newUser(server, email);
  await verifyAddress(server, email);
  return { ...user, email };
}

/** Undoes a change of the address of a user, and sets a new password. */
async function undo(email: string, subject = CHANGED): Promise<void> {
  const token = await tokenOf(server, email, subject);
  expect(await codeOf(server.post('/email/undo', { token }))).toBe(204);
  const reset = { token: await tokenOf(server, email, RESET), password: PASSWORD };
  expect(await codeOf(server.post('/password/reset', reset))).toBe(204);
}

describe('an undone change of the address', () => {
  it('ends the factors that a thief enrolled before the change or after it', async () => {
    const { email, username, jwt: token } = await owner();
    const passkey = new Authenticator(originOf(server));
    expect((await addPasskey(server, token, passkey)).status).toBe(201);
    await move(server, token, `thief-${email}`);
    await addApp(server.url, token);
    expect((await signIn(server, passkey)).status).toBe(200);

    await undo(email);
    expect((await signIn(server, passkey)).body.code).toBe('passkey_unknown');
    const own = asking(server, (await server.login(username, PASSWORD)).jwt);
    expect((await own.ask('GET', '/me/factors')).body).toEqual({
      factors: [],
      recovery_codes_left: 0,
    });
    const { text } = await mailAbout(server, email, 'Your second factors were reset');
    expect(text).toMatch(/because a change of the address was undone/);
    const { events } = (await own.ask('GET', '/me/export')).body as { events: object[] };
    expect(events).toContainEqual(
      expect.objectContaining({
        action: 'factors_reset',
        details: { kind: 'totp passkey', sessions: 0 },
      }),
    );
    await mailAbout(server, `thief-${email}`, UNDONE);
  });

  it('leaves the factors of the owner from longer before, so an old mailbox alone opens nothing', async () => {
    const { id, email, username, jwt: token } = await owner();
    await addApp(server.url, token);
    await setTimes('totp_factors', id, -25 * 3_600_000);
    const later = new Authenticator(originOf(server));
    await addPasskey(server, token, later);
    await move(server, token, `new-${email}`);
    await undo(email);
    await expect(server.login(username, PASSWORD)).rejects.toThrow('second_factor_required');
    expect((await signIn(server, later)).body.code).toBe('passkey_unknown');
  });

  it('protects its owner by a new factor if the thief answers', async () => {
    const { email, username, jwt: token } = await owner();
    await move(server, token, `thief-${email}`);
    await undo(email);
    const { jwt: own } = await server.login(username, PASSWORD);
    await addApp(server.url, own);
    await undo(`thief-${email}`, UNDONE);
    await expect(server.login(username, PASSWORD)).rejects.toThrow('second_factor_required');
  });
});

it('puts no claims of a project into a token that can only enrol', async () => {
  const { id } = await person(server, 'Keeper');
  await server.app.get(UserChangesService, { strict: false }).setRoles(id, ['keeper']);
  const first = await server.login('Keeper', GOOD_PASSWORD);
  const planOf = (token: string) => (jwt.decode(token) as { plan?: string }).plan;
  expect(planOf(first.jwt)).toBeUndefined();
  await addApp(server.url, first.jwt);
  const refreshed = await server.http.post('/refresh').send({ refresh_token: first.refresh_token });
  expect(planOf((refreshed.body as { jwt: string }).jwt)).toBe('keeper');
});

it('refuses a sign-in whose account with a factor is deleted while its password is checked', async () => {
  const { id, username, jwt: token } = await newUser(server);
  await addApp(server.url, token);
  const passwords = server.app.get(PasswordsService, { strict: false });
  const verify = passwords.verify.bind(passwords);
  passwords.verify = async (...given) => {
    const isRight = await verify(...given);
    await server.withDatabase((db) => db.query(`DELETE FROM users WHERE id = '${id}'`));
    return isRight;
  };
  try {
    await expect(server.login(username)).rejects.toThrow('bad_credentials');
  } finally {
    passwords.verify = verify;
  }
});

it('warns before an export that the second factors stay behind', async () => {
  const other = await startServer();
  try {
    await person(other, 'plain');
    expect((await latchkey(other, ['users', 'export'])).stderr).toBe('');
    const { jwt: token } = await person(other, 'factored');
    await addApp(other.url, token);
    const { code, stdout, stderr } = await latchkey(other, ['users', 'export']);
    expect([code, stdout.trim().split('\n').length]).toEqual([0, 2]);
    expect(stderr).toBe(
      'Users with a second factor: 1. The output leaves the factors out, so after an import the password ' +
        'alone signs these users in. `latchkey db copy` takes the factors along.\n',
    );
  } finally {
    await other.stop();
  }
});
