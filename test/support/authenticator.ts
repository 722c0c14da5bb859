import { Secret, TOTP } from 'otpauth';
import type { DataSource } from 'typeorm';
import { TotpFactor } from '../../src/totp/totp-factor.entity.js';
import { type Person, person } from './admins.js';
import { ask } from './http.js';
import type { Server } from './server.js';

/** Returns the code that an authenticator app shows, or showed or will show so many steps of 30 s from now. */
export const appCode = (secret: string, steps = 0): string =>
  TOTP.generate({ secret: Secret.fromBase32(secret), timestamp: Date.now() + steps * 30_000 });

/** Returns a code that no step around now has. */
export function wrongCode(secret: string): string {
  const near = [-2, -1, 0, 1, 2].map((steps) => appCode(secret, steps));
  return ['000000', '111111', '222222', '333333', '444444', '555555'].find(
    (code) => !near.includes(code),
  ) as string;
}

/** An authenticator app that a user has confirmed. */
export interface App {
  id: string;
  secret: string;
  /** Only with the first factor. */
  recoveryCodes: string[];
}

/** Adds an authenticator app to the user of an access token. The present code is used up by that. */
export async function addApp(url: string, jwt: string, name?: string): Promise<App> {
  const started = await ask(url, 'POST', '/me/factors/totp', { name }, jwt);
  const { id, secret } = started.body as { id: string; secret: string };
  const path = `/me/factors/totp/${id}/confirm`;
  const { status, body } = await ask(url, 'POST', path, { code: appCode(secret) }, jwt);
  if (status !== 200) throw new Error(`app: ${status} ${JSON.stringify(body)}`);
  return { id, secret, recoveryCodes: (body.recovery_codes ?? []) as string[] };
}

/** Makes all codes unused, as they are some minutes later. */
export const unused = (db: DataSource) =>
  db.createQueryBuilder().update(TotpFactor).set({ lastStep: 0 }).execute();

/** Registers and signs in a user with an app, none of whose codes was used in the last minutes. */
export async function personWithApp(server: Server, name: string): Promise<Person & { app: App }> {
  const signedIn = await person(server, name, [], `${name}@example.org`);
  const app = await addApp(server.url, signedIn.jwt);
  await server.withDatabase(unused);
  return { ...signedIn, app };
}
