/**
 * A text without regard to case, in a normal form. The final sigma becomes the other one, for which
 * of the two a capital becomes depends on the letters around it.
 */
export function caseFold(text: string, form: 'NFC' | 'NFKC'): string {
  return text.normalize(form).toLowerCase().replaceAll('ς', 'σ').normalize(form);
}
