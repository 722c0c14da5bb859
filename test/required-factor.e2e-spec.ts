import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import jwt from 'jsonwebtoken';
import { AccessTokenService } from '../src/auth/access-token.service.js';
import type { AccessTokenClaims } from '../src/keys/access-token.js';
import { UserChangesService } from '../src/users/user-changes.service.js';
import { asking, person } from './support/admins.js';
import { addTestFactor, refresh, signInByFactor } from './support/factors.js';
import { declaredRoutes } from './support/own-routes.js';
import { codeOf } from './support/http.js';
import { type Server, startServer } from './support/server.js';
import { TEST_CODE, TestFactorModule } from './support/test-factor.module.js';

let server: Server;
beforeAll(async () => {
  const settings = { MFA_REQUIRED: 'admin,keeper,suport', BOOTSTRAP_ADMIN: 'Root' };
  server = await startServer(settings, (builder) => builder, [TestFactorModule]);
});
afterAll(() => server.stop());

const claimsOf = (token: string) => jwt.decode(token) as AccessTokenClaims;

/** The claims that say what a token allows. */
const allowedBy = (token: string) => {
  const { roles, acr, enrolment_required: mustEnrol = false } = claimsOf(token);
  return { roles, acr, mustEnrol };
};
const restricted = { roles: [], acr: 'urn:latchkey:aal1', mustEnrol: true };
const full = (...roles: string[]) => ({ roles, acr: 'urn:latchkey:aal2', mustEnrol: false });

const setRoles = (id: string, roles: string[]) =>
  server.app.get(UserChangesService, { strict: false }).setRoles(id, roles);

/** The routes that enrol a factor or end the session. */
const OPEN = /^\w+ (\/me\/(factors|passkeys|recovery-codes|step-up)\b|\/test-factors|\/logout)/;

const refusal = {
  status: 403,
  body: { msg: expect.any(String) as string, code: 'enrolment_required' },
};

it('gives holders without a factor a token that names no role, and opens only the enrolment', async () => {
  const ada = await person(server, 'Ada', ['keeper', 'other']);
  expect(allowedBy(ada.jwt)).toEqual(restricted);
  const guarded = declaredRoutes(server.app).filter(
    ({ route, isPublic }) => !isPublic && !/ \/test-/.test(route),
  );
  expect(guarded.length).toBeGreaterThan(20);
  for (const { route } of guarded.filter((one) => !OPEN.test(one.route))) {
    const [method = '', path = ''] = route.split(' ');
    expect([route, await ada.ask(method, path)]).toEqual([route, refusal]);
  }
  for (const path of ['/test-vault/guarded', '/test-vault/by-name', '/test-vault/optional']) {
    expect([path, await ada.ask('GET', path)]).toEqual([path, refusal]);
  }
  expect(await ada.outcome('GET', '/forward-auth')).toBe('enrolment_required');
  const tokens = server.app.get(AccessTokenService, { strict: false });
  await expect(tokens.verify(ada.jwt)).rejects.toMatchObject({ code: 'enrolment_required' });
  expect(await ada.outcome('GET', '/me/factors')).toBe(200);
  expect(await ada.outcome('POST', '/logout')).toBe(204);
});

it('gives full tokens by the next refresh after the enrolment', async () => {
  const bob = await person(server, 'Bob', ['keeper']);
  expect(await addTestFactor(server, bob.jwt)).toHaveLength(10);
  expect(await bob.outcome('GET', '/me')).toBe('enrolment_required');
  const next = await refresh(server, bob.refresh_token);
  expect(allowedBy(next.jwt)).toEqual(full('keeper'));
  expect(await asking(server, next.jwt).outcome('POST', '/test-cats/feed')).toBe(201);
  expect(allowedBy((await signInByFactor(server, 'Bob')).jwt)).toEqual(full('keeper'));
});

it('gives full tokens by a step-up after the enrolment', async () => {
  const carl = await person(server, 'Carl', ['keeper']);
  await addTestFactor(server, carl.jwt);
  const { status, body } = await carl.ask('POST', '/me/step-up', { code: TEST_CODE });
  expect([status, allowedBy(body.jwt as string)]).toEqual([200, full('keeper')]);
});

it('lets no password alone make a restricted session a full one', async () => {
  const dora = await person(server, 'Dora', ['keeper']);
  const password = { current_password: 'correct horse battery staple' };
  const { body } = await dora.ask('POST', '/me/step-up', password);
  expect(allowedBy(body.jwt as string)).toEqual(restricted);
});

it('holds for a role that is given later, and ends with the role', async () => {
  const eve = await person(server, 'Eve');
  expect(allowedBy(eve.jwt)).toEqual({ ...restricted, mustEnrol: false });
  await setRoles(eve.id, ['keeper']);
  expect(await eve.outcome('GET', '/me')).toBe('token_stale');
  const later = await refresh(server, eve.refresh_token);
  expect(allowedBy(later.jwt)).toEqual(restricted);
  await setRoles(eve.id, []);
  expect(await asking(server, later.jwt).outcome('GET', '/me/factors')).toBe('token_stale');
  const last = await refresh(server, later.refresh_token);
  expect(allowedBy(last.jwt)).toEqual({ ...restricted, mustEnrol: false });
});

it('restricts holders that remove their last factor', async () => {
  const fay = await person(server, 'Fay', ['keeper']);
  await addTestFactor(server, fay.jwt);
  const { jwt: token, refresh_token: next } = await refresh(server, fay.refresh_token);
  const own = asking(server, token);
  const [factor] = (await own.ask('GET', '/me/factors')).body.factors as { id: string }[];
  expect(await own.outcome('DELETE', `/me/factors/${factor?.id ?? ''}`)).toBe(204);
  expect(await own.outcome('GET', '/me')).toBe('token_stale');
  const { roles, mustEnrol } = allowedBy((await refresh(server, next)).jwt);
  expect({ roles, mustEnrol }).toEqual({ roles: [], mustEnrol: true });
});

it('holds for the first administrator as well', async () => {
  const file = await readFile(join(server.config.dataDir, 'bootstrap-admin'), 'utf8');
  const [, password = ''] = /Password: (\S+)/.exec(file) ?? [];
  const tokens = await server.login('Root', password);
  const root = asking(server, tokens.jwt);
  expect(await root.ask('GET', '/users')).toEqual(refusal);
  await addTestFactor(server, tokens.jwt);
  const next = await refresh(server, tokens.refresh_token);
  expect(await asking(server, next.jwt).outcome('GET', '/users?mfa=any')).toBe(200);
});

it('does not let an impersonator enrol a factor for the user', async () => {
  const ivy = await person(server, 'Ivy', ['admin']);
  await addTestFactor(server, ivy.jwt);
  const admin = asking(server, (await refresh(server, ivy.refresh_token)).jwt);
  const joe = await person(server, 'Joe', ['keeper']);
  const { body } = await admin.ask('POST', `/users/${joe.id}/impersonate`);
  const acting = asking(server, body.jwt as string);
  const asked = acting.ask('POST', '/test-factors', { name: 'Not mine' });
  expect(await codeOf(asked)).toBe('impersonation_forbidden');
});

it('warns of a name that no role has, at the start', () => {
  const warnings = server.log.map(({ msg }) => String(msg)).filter((msg) => /MFA_REQ/.test(msg));
  expect(warnings).toEqual(['MFA_REQUIRED names suport, but there is no role of this name']);
});
