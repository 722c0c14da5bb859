import type { SettingIssue } from './jwt-keys.js';

type Environment = Record<string, string | undefined>;

/** Settings whose empty value means something or is refused. An empty value of any other counts as not set. */
const EMPTY_COUNTS: ReadonlySet<string> = new Set(['JWT_HEADER_TYPE', 'JWT_HEADER_NAME']);
/** White space is a part of the secret: it changes the signature. */
const EXACT: ReadonlySet<string> = new Set(['JWT_SECRET_KEY']);
/** The quotes of a PEM are taken off where it is read. */
const MAY_HAVE_QUOTES = /^JWT_(PRIVATE|PUBLIC|PREVIOUS_(SECRET|PUBLIC))_KEYS?$/;
/**
 * Line breaks and their like, and what pages add to a copied text: zero-width spaces, soft hyphens, marks. Not
 * the joiners that scripts and emoji need.
 */
const INVISIBLE = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\u2028\u2029]/u;

/**
 * Returns the environment as the settings read it: without the white space that files and `kubectl` leave
 * at the ends of values, and without empty values.
 */
export function givenSettings(
  env: Environment,
  names: ReadonlySet<string>,
): { given: Environment; issues: SettingIssue[] } {
  const given: Environment = {};
  const issues: SettingIssue[] = [];
  for (const [name, value = ''] of Object.entries(env)) {
    const trimmed = value.trim();
    if (trimmed === '' && !EMPTY_COUNTS.has(name)) continue;
    given[name] = EXACT.has(name) ? value : trimmed;
    if (!names.has(name)) continue;
    if (EXACT.has(name) && value !== trimmed) {
      issues.push({ name, expected: 'expected no white space at its ends' });
    }
    if (INVISIBLE.test(trimmed) && !MAY_HAVE_QUOTES.test(name)) {
      issues.push({ name, expected: 'expected no invisible characters in it' });
    }
    if (/^(["']).*\1$/s.test(trimmed) && !MAY_HAVE_QUOTES.test(name)) {
      // A file for `docker run --env-file` is not read as a shell reads it.
      issues.push({ name, expected: 'expected no quotes around it' });
    }
  }
  return { given, issues };
}
