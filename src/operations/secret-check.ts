import { readFileSync } from 'node:fs';
import type { Config } from '../config/config.js';
import { estimatedBits, isWellKnown } from '../config/secret-strength.js';
import { fail, type Finding, ok } from '../common/finding.js';

/** A secret with fewer bits can be found by search (NIST SP 800-131A). */
const MIN_BITS = 112;
const check = 'secret';
const NEW_SECRET = 'set a new one: openssl rand -base64 48';

type Environment = Record<string, string | undefined>;

/** Checks that the secret of the settings cannot be guessed, and is not published. */
export function checkSecret(config: Config, env: Environment): Finding[] {
  const secret = env.JWT_SECRET_KEY;
  if (!secret) {
    if (!config.generatedSecretPath)
      return [ok(check, `tokens are signed with a key pair (${config.jwt.algorithm})`)];
    const verb = config.generatedSecretCreated
      ? 'the first start creates'
      : 'created by this server:';
    return [ok(check, `${verb} ${config.generatedSecretPath}`)];
  }
  const found: Finding[] = [];
  // The holder of any accepted secret can sign tokens.
  for (const [index, key] of config.jwt.secrets.entries()) {
    if (key.type !== 'secret') continue;
    const name = index === 0 ? 'JWT_SECRET_KEY' : `secret ${index} of JWT_PREVIOUS_SECRET_KEYS`;
    found.push(...secretFindings(name, key.export().toString('utf8'), env));
  }
  const bytes = Buffer.byteLength(secret);
  return found.length > 0 ? found : [ok(check, `${bytes} bytes, used for nothing else`)];
}

function secretFindings(name: string, secret: string, env: Environment): Finding[] {
  const found: Finding[] = [];
  if (isWellKnown(secret) || exampleFile().includes(secret)) {
    found.push(fail(check, `${name} is a published example`, NEW_SECRET));
  }
  const bits = Math.floor(estimatedBits(secret));
  if (bits < MIN_BITS) {
    const message = `${name} can be guessed: about ${bits} bits, ${MIN_BITS} are needed`;
    found.push(fail(check, message, NEW_SECRET));
  }
  for (const [other, value] of Object.entries(env)) {
    if (!value || other.startsWith('JWT_') || !holds(value, secret)) continue;
    found.push(fail(check, `${name} is also in ${other}`, NEW_SECRET));
  }
  return found;
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
