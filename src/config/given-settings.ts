import { type SettingIssue, settingOf } from './setting.js';

type Environment = Record<string, string | undefined>;

/**
 * Line breaks and similar signs, and signs that pages add to a copied text: zero-width spaces, soft hyphens,
 * marks. The joiners that scripts and emoji need are not among them.
 */
const INVISIBLE = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\u2028\u2029]/u;

/**
 * Returns the environment without empty values, and without the white space that files and `kubectl` leave at
 * the ends of values. The issues name settings with quotes or invisible characters.
 */
export function givenSettings(env: Environment): { given: Environment; issues: SettingIssue[] } {
  const given: Environment = {};
  const issues: SettingIssue[] = [];
  for (const [name, value = ''] of Object.entries(env)) {
    const declaration = settingOf(name);
    const trimmed = value.trim();
    if (trimmed === '' && !declaration?.mayBeEmpty) continue;
    given[name] = declaration?.exact ? value : trimmed;
    if (!declaration) continue;
    if (declaration.exact && value !== trimmed) {
      issues.push({ name, expected: 'expected no white space at its ends' });
    }
    // The reader of a PEM removes its quotes.
    if (declaration.multiline) continue;
    if (INVISIBLE.test(trimmed)) {
      issues.push({ name, expected: 'expected no invisible characters in it' });
    }
    if (/^(["']).*\1$/s.test(trimmed)) {
      // `docker run --env-file` keeps quotes, which a shell would remove.
      issues.push({ name, expected: 'expected no quotes around it' });
    }
  }
  return { given, issues };
}
