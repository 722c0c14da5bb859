/**
 * Returns the one of `available` languages that a reader prefers by an `Accept-Language` header or a locale
 * such as `de-AT` (RFC 9110, section 12.5.4, with the lookup of RFC 4647, section 3.4). If no language fits,
 * it returns the first one.
 */
export function chooseLocale(
  preferred: string | null | undefined,
  available: readonly string[],
): string {
  // No browser sends a longer header.
  const ranges = (preferred ?? '').slice(0, 1_000).split(',');
  const wanted = ranges.flatMap((range) => {
    const [, tag = '', q = '1'] =
      /^\s*([a-z]{1,8}|\*)(?:-[a-z\d-]*)?\s*(?:;\s*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*)?$/i.exec(
        range,
      ) ?? [];
    return tag === '' ? [] : [{ tag: tag.toLowerCase(), q: Number(q) }];
  });
  const quality = (locale: string): number => {
    const own = wanted.filter(({ tag }) => tag === locale);
    const matching = own.length > 0 ? own : wanted.filter(({ tag }) => tag === '*');
    return Math.max(0, ...matching.map(({ q }) => q));
  };
  // Languages without a name in the header come last.
  const rank = (locale: string): number => {
    const index = wanted.findIndex(({ tag }) => tag === locale);
    return index < 0 ? wanted.length : index;
  };
  const [best] = available
    .filter((locale) => quality(locale) > 0)
    .sort((a, b) => quality(b) - quality(a) || rank(a) - rank(b));
  return best ?? available[0] ?? '';
}
