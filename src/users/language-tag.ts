/** The longest language tag that is stored, in characters. */
export const LONGEST_TAG = 35;

/** The canonical form of a BCP 47 tag of up to 35 characters; undefined where `text` is none. */
export function canonicalTag(text: string): string | undefined {
  try {
    return text.length <= LONGEST_TAG ? Intl.getCanonicalLocales(text)[0] : undefined;
  } catch {
    return undefined;
  }
}
