/** The longest display name, in code points. */
const MAX_LENGTH = 64;

/**
 * Returns a display name in NFC, without blanks around it. Undefined if it cannot be shown as one line:
 * controls, line and paragraph separators, marks that change the direction of text, ill-formed Unicode.
 */
export function prepareDisplayName(text: string): string | undefined {
  if (!text.isWellFormed()) return undefined;
  const name = text.normalize('NFC').trim();
  const unfit = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Co}\p{Cn}]/u.test(name);
  const length = [...name].length;
  return unfit || length === 0 || length > MAX_LENGTH ? undefined : name;
}
