/** The longest language tag that is stored, in characters. */
export const MAX_TAG_LENGTH = 35;

/** Returns the canonical form of a BCP 47 tag of up to 35 characters; undefined if `text` is none. */
export function canonicalTag(text: string): string | undefined {
  try {
    return text.length <= MAX_TAG_LENGTH ? Intl.getCanonicalLocales(text)[0] : undefined;
  } catch {
    return undefined;
  }
}
