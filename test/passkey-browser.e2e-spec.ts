import { once } from 'node:events';
import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Browser, type CDPSession, chromium, type Page } from 'playwright-core';
import { newUser } from './support/passkeys.js';
import { type Server, startServer } from './support/server.js';

const executablePath = process.env.TEST_CHROMIUM;

/** A page with the script of docs/passkeys.md. */
const pageOf = (server: Server) => `<!doctype html>
<title>Sign in</title>
<input autocomplete="username webauthn">
<script>
  const send = async (method, path, body, jwt) => {
    const headers = { 'content-type': 'application/json' };
    if (jwt) headers.authorization = 'Bearer ' + jwt;
    const sent = { method, headers, body: body && JSON.stringify(body) };
    const answer = await fetch('${server.url}' + path, sent);
    return { status: answer.status, body: await answer.json() };
  };
  const enrol = async (jwt) => {
    const { body } = await send('POST', '/me/passkeys/options', {}, jwt);
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(body);
    const made = await navigator.credentials.create({ publicKey });
    return send('POST', '/me/passkeys', { response: made.toJSON(), name: 'Chromium' }, jwt);
  };
  const signIn = async (mediation) => {
    const { body } = await send('POST', '/login/passkey/options', {});
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(body);
    const found = await navigator.credentials.get({ publicKey, mediation });
    return send('POST', '/login/passkey', { response: found.toJSON() });
  };
  const remove = async (id, jwt) => {
    const { body } = await send('DELETE', '/me/passkeys/' + id, undefined, jwt);
    const { rp_id: rpId, credential_id: credentialId } = body;
    await PublicKeyCredential.signalUnknownCredential({ rpId, credentialId });
  };
</script>`;

(executablePath ? describe : describe.skip)('in a browser (needs chromium)', () => {
  let pages: HttpServer;
  let origin: string;
  let server: Server;
  let browser: Browser;
  beforeAll(async () => {
    pages = createServer((_request, response) => {
      response.setHeader('content-type', 'text/html; charset=utf-8').end(pageOf(server));
    });
    await once(pages.listen(0, '127.0.0.1'), 'listening');
    origin = `http://localhost:${(pages.address() as AddressInfo).port}`;
    server = await startServer({ CORS_ORIGINS: origin, WEBAUTHN_ORIGINS: origin });
    const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'];
    browser = await chromium.launch({ executablePath, args });
  }, 120_000);
  afterAll(async () => {
    await browser.close();
    await server.stop();
    pages.close();
  });

  interface Answer {
    status: number;
    body: { id: string; jwt: string };
  }
  const run = (page: Page, script: string) => page.evaluate<Answer>(script);

  /** A page of a browser with an authenticator that verifies its user. */
  async function opened(): Promise<{ page: Page; cdp: CDPSession; authenticatorId: string }> {
    const page = await browser.newPage();
    await page.goto(origin);
    const cdp = await page.context().newCDPSession(page);
    await cdp.send('WebAuthn.enable', { enableUI: false });
    const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
    return { page, cdp, authenticatorId };
  }

  it('a user registers a passkey, signs in without a name, and by autofill', async () => {
    const { page, cdp, authenticatorId } = await opened();
    const { username, jwt } = await newUser(server);
    const made = await run(page, `enrol('${jwt}')`);
    expect(made).toMatchObject({ status: 201, body: { name: 'Chromium' } });
    for (const mediation of ['optional', 'conditional']) {
      const { status, body } = await run(page, `signIn('${mediation}')`);
      expect([mediation, status]).toEqual([mediation, 200]);
      const hello = await server.get('/protected', `Bearer ${body.jwt}`);
      expect(hello.body).toEqual({ hello_from: username });
    }
    // The authenticator forgets a removed passkey.
    await page.evaluate(`remove('${made.body.id}', '${jwt}')`);
    const { credentials } = await cdp.send('WebAuthn.getCredentials', { authenticatorId });
    expect(credentials).toEqual([]);
    await page.close();
  }, 120_000);

  it('a user that the authenticator does not recognise gets no answer', async () => {
    const { page, cdp, authenticatorId } = await opened();
    const { jwt } = await newUser(server);
    expect((await run(page, `enrol('${jwt}')`)).status).toBe(201);
    await cdp.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false });
    await expect(run(page, `signIn('optional')`)).rejects.toThrow('NotAllowedError');
    await page.close();
  }, 120_000);
});
