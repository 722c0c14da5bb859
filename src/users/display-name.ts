/** The longest display name, in code points. */
const LONGEST = 64;

/**
 * What a user wants to be called, in NFC and without blanks around it; undefined where it cannot be
 * shown as one line: controls, line and paragraph separators, marks that change the direction of what
 * follows, ill-formed Unicode.
 */
export function prepareDisplayName(text: string): string | undefined {
  if (!text.isWellFormed()) return undefined;
  const name = text.normalize('NFC').trim();
  const unfit = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Co}\p{Cn}]/u.test(name);
  const length = [...name].length;
  return unfit || length === 0 || length > LONGEST ? undefined : name;
}
