import { readFileSync } from 'node:fs';
import type { Config } from '../config/config.js';
import { fail, type Finding, ok } from './finding.js';
import { estimatedBits, isWellKnown } from './secret-strength.js';

/** Fewer bits than this can be searched (NIST SP 800-131A). */
const ENOUGH_BITS = 112;
const ANOTHER = 'set another: openssl rand -base64 48';

/** Whether the secret of the settings can be guessed, or is known to somebody. */
export function checkSecret(config: Config, env: Record<string, string | undefined>): Finding[] {
  const check = 'secret';
  const secret = env.JWT_SECRET_KEY;
  if (!secret) {
    if (!config.generatedSecretPath) return [ok(check, `a key pair for ${config.jwt.algorithm}`)];
    const verb = config.generatedSecretCreated ? 'the first start makes' : 'made for this server:';
    return [ok(check, `${verb} ${config.generatedSecretPath}`)];
  }
  const found: Finding[] = [];
  if (isWellKnown(secret) || exampleFile().includes(secret)) {
    found.push(fail(check, 'JWT_SECRET_KEY is an example that everybody can read', ANOTHER));
  }
  const bits = Math.floor(estimatedBits(secret));
  if (bits < ENOUGH_BITS) {
    const message = `JWT_SECRET_KEY can be guessed: about ${bits} bits, ${ENOUGH_BITS} are needed`;
    found.push(fail(check, message, ANOTHER));
  }
  for (const [name, value] of Object.entries(env)) {
    if (!value || name.startsWith('JWT_') || !holds(value, secret)) continue;
    found.push(fail(check, `JWT_SECRET_KEY is also in ${name}`, ANOTHER));
  }
  const bytes = Buffer.byteLength(secret);
  return found.length > 0 ? found : [ok(check, `${bytes} bytes, used for nothing else`)];
}

function holds(value: string, secret: string): boolean {
  if (value.includes(secret) || value.includes(encodeURIComponent(secret))) return true;
  try {
    return decodeURIComponent(value).includes(secret);
  } catch {
    return false;
  }
}

function exampleFile(): string {
  try {
    return readFileSync('.env.example', 'utf8');
  } catch {
    return '';
  }
}
