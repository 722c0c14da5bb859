import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Authenticator } from './support/webauthn-authenticator.js';
import { addPasskey, signIn, userWithPasskey } from './support/passkeys.js';
import { mailAbout } from './support/mailbox.js';
import { codeOf } from './support/http.js';
import { SECRET, type Server, startServer } from './support/server.js';
import { runTool } from './support/server-tools.js';

const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string;
const challenge = expect.stringMatching(/^[\w-]{43}$/) as string;

let server: Server;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

const withPasskey = (flags?: number) => userWithPasskey(server, flags);

it('is in the export of its user, and goes with the user', async () => {
  const { id, passkey, authenticator, ask } = await withPasskey();
  await ask('POST', '/me/passkeys/options');
  const { body } = await ask('GET', '/me/export');
  expect(body).toMatchObject({
    passkeys: [
      {
        id: passkey.id,
        credentialId: authenticator.id.toString('base64url'),
        publicKey: expect.any(String) as string,
        name: 'Unknown device',
      },
    ],
    passkeyHandle: [{ handle: challenge }],
    passkeyCeremonies: [{ ceremony: 'registration', expiresAt: time }],
  });
  expect((await ask('DELETE', '/me')).status).toBe(204);
  for (const table of ['passkeys', 'webauthn_handles', 'webauthn_challenges']) {
    const left = await server.withDatabase((db) =>
      db.query<object[]>(`SELECT * FROM ${table} WHERE user_id = '${id}'`),
    );
    expect(left).toEqual([]);
  }
  expect(await codeOf(signIn(server, authenticator))).toBe('passkey_unknown');
});

describe('/.well-known/webauthn', () => {
  it('is missing without related origins', async () => {
    expect(await codeOf(server.http.get('/.well-known/webauthn'))).toBe('not_found');
  });

  it('lists the origins of pages, from which answers are then accepted', async () => {
    const app = `android:apk-key-hash:${'A'.repeat(43)}`;
    const related = await startServer({
      PUBLIC_URL: 'https://accounts.example.com/auth',
      WEBAUTHN_RP_ID: 'Example.com',
      WEBAUTHN_ORIGINS: `https://example.net, ${app}`,
    });
    try {
      const answer = await related.http.get('/.well-known/webauthn');
      expect({ status: answer.status, body: answer.body as unknown }).toEqual({
        status: 200,
        body: { origins: ['https://accounts.example.com', 'https://example.net'] },
      });
      expect(answer.headers['content-type']).toMatch(/^application\/json/);
      await related.register('Ada');
      const { jwt: token } = await related.login('Ada');
      for (const from of ['https://accounts.example.com', 'https://example.net', app]) {
        const device = new Authenticator(from);
        expect(await codeOf(addPasskey(related, token, device))).toBe(201);
        expect(await codeOf(signIn(related, device))).toBe(200);
      }
      const other = new Authenticator('https://example.org');
      expect(await codeOf(addPasskey(related, token, other))).toBe('passkey_invalid');
    } finally {
      await related.stop();
    }
  });
});

it('tells the user by mail if a passkey seems to be copied', async () => {
  const email = 'copied@example.org';
  const { authenticator, passkey, id } = await userWithPasskey(server, undefined, email);
  expect(await codeOf(signIn(server, authenticator, { count: 5 }))).toBe(200);
  expect(await codeOf(signIn(server, authenticator, { count: 5 }))).toBe('passkey_copied');
  await mailAbout(server, email, 'A passkey of yours was refused');
  const rows = await server.withDatabase((db) =>
    db.query<{ details: string }[]>(
      `SELECT details FROM audit_events WHERE action = 'passkey_copied' AND subject_id = '${id}'`,
    ),
  );
  expect(rows.map(({ details }) => JSON.parse(details) as unknown)).toEqual([
    { passkey: passkey.id },
  ]);
});

it('makes the doctor refuse another domain while passkeys of the old one exist', async () => {
  await withPasskey();
  const cwd = await mkdtemp(join(tmpdir(), 'latchkey-doctor-'));
  const ofPasskeys = async (settings: Record<string, string>) => {
    const env = { DATABASE_URL: server.config.databaseUrl, JWT_SECRET_KEY: SECRET, ...settings };
    const { code, stdout } = await runTool(cwd, ['doctor', '--json'], env);
    const findings = JSON.parse(stdout) as { check: string; status: string; message: string }[];
    return { code, findings: findings.filter(({ check }) => check === 'passkeys') };
  };
  try {
    expect((await ofPasskeys({})).findings).toEqual([]);
    const changed = await ofPasskeys({ WEBAUTHN_RP_ID: 'example.com' });
    expect(changed).toEqual({
      code: 1,
      findings: [
        {
          check: 'passkeys',
          status: 'fail',
          message: expect.stringMatching(
            /^\d+ are for localhost, and do not work for example\.com$/,
          ) as string,
          advice: 'set WEBAUTHN_RP_ID=localhost, and WEBAUTHN_ORIGINS',
        },
      ],
    });
  } finally {
    await rm(cwd, { recursive: true });
  }
}, 120_000);
