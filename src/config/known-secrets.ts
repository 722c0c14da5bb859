import type { JwtKeys, SettingIssue } from './jwt-keys.js';
import { estimatedBits, isWellKnown } from './secret-strength.js';
import { list } from './setting-types.js';

/** A secret of fewer bits stops a start in production. The doctor asks for more. */
const FEWEST_BITS = 64;

/** Secrets that an attacker knows or soon guesses: such a server lets everybody sign tokens. */
export function knownSecrets(
  given: Record<string, string | undefined>,
  { secrets }: JwtKeys,
): SettingIssue[] {
  const issues: SettingIssue[] = [];
  for (const key of secrets) {
    const secret = key.export().toString('utf8');
    const name =
      secret === given.JWT_SECRET_KEY ? 'JWT_SECRET_KEY' : ('JWT_PREVIOUS_SECRET_KEYS' as const);
    if (isWellKnown(secret)) {
      issues.push({ name, expected: 'expected a secret that was never published' });
    } else if (estimatedBits(secret) < FEWEST_BITS) {
      issues.push({ name, expected: 'expected random characters, not words or repetitions' });
    }
  }
  if (list(given.WEBHOOK_SECRET ?? '').some(isWellKnown)) {
    issues.push({ name: 'WEBHOOK_SECRET', expected: 'expected a secret that was never published' });
  }
  return issues;
}
