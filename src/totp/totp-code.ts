import { lazyPackage } from '../common/lazy-package.js';

const otpauth = lazyPackage('otpauth') as () => typeof import('otpauth');

/** What every authenticator app can do (RFC 6238). Other values are ignored by several of them. */
const PARAMETERS = { algorithm: 'SHA1', digits: 6, period: 30 };

/** How many steps a code may be early or late (RFC 6238, section 5.2). */
const WINDOW = 1;

/** Returns a new secret of 160 bits (RFC 4226, section 4), in base 32. */
export const newSecret = (): string => new (otpauth().Secret)({ size: 20 }).base32;

/**
 * Returns the time step of a code; undefined if it is the code of no step around `now`.
 *
 * @param secret in base 32
 * @param code six digits
 * @param now milliseconds since 1970
 */
export function stepOfCode(secret: string, code: string, now: number): number | undefined {
  const { Secret, TOTP } = otpauth();
  const delta = TOTP.validate({
    ...PARAMETERS,
    secret: Secret.fromBase32(secret),
    token: code,
    timestamp: now,
    window: WINDOW,
  });
  return delta === null ? undefined : TOTP.counter({ ...PARAMETERS, timestamp: now }) + delta;
}

/** Returns the `otpauth://` address that an app reads. Some apps split its label at the first colon. */
export function enrolmentUri(secret: string, names: { issuer: string; account: string }): string {
  const { Secret, TOTP } = otpauth();
  const [issuer, account] = [names.issuer, names.account].map((name) => name.replaceAll(':', '-'));
  return new TOTP({
    ...PARAMETERS,
    issuer,
    label: account,
    secret: Secret.fromBase32(secret),
  }).toString();
}
