import Negotiator from 'negotiator';

/**
 * Returns the one of `available` languages that a reader prefers by an `Accept-Language` header or a locale
 * such as `de-AT` (RFC 9110, section 12.5.4, with the lookup of RFC 4647, section 3.4). If no language fits,
 * it returns the first one.
 */
export function chooseLocale(
  preferred: string | null | undefined,
  available: readonly string[],
): string {
  // No browser sends a longer header. Without its region, `de-AT` is as good a match as `en`.
  const ranges = (preferred ?? '').slice(0, 1_000).replaceAll(/([a-z])-[a-z\d-]+/gi, '$1');
  const reader = new Negotiator({ headers: { 'accept-language': ranges } });
  return reader.language([...available]) ?? available[0] ?? '';
}
