/**
 * Returns a text without regard to case, in a normal form. Both small sigmas become one, because the
 * surrounding letters decide which of them a capital sigma becomes.
 */
export function caseFold(text: string, form: 'NFC' | 'NFKC'): string {
  return text.normalize(form).toLowerCase().replaceAll('ς', 'σ').normalize(form);
}
