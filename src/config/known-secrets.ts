import type { JwtKeys } from './jwt-keys.js';
import { hasBits, isWellKnown } from './secret-strength.js';
import type { SettingIssue } from './setting.js';

/** A secret of fewer bits stops a start in production. The doctor asks for more. */
const MIN_BITS = 64;

/** Finds secrets that an attacker knows or can guess. With such a secret anybody could sign tokens. */
export function knownSecrets(
  given: Record<string, string | undefined>,
  { secrets }: JwtKeys,
): SettingIssue[] {
  const issues: SettingIssue[] = [];
  for (const key of secrets) {
    const secret = key.export().toString('utf8');
    const name = secret === given.JWT_SECRET_KEY ? 'JWT_SECRET_KEY' : 'JWT_PREVIOUS_SECRET_KEYS';
    if (isWellKnown(secret)) {
      issues.push({ name, expected: 'expected a secret that was never published' });
    } else if (!hasBits(secret, MIN_BITS)) {
      issues.push({ name, expected: 'expected random characters, not words or repetitions' });
    }
  }
  return issues;
}
