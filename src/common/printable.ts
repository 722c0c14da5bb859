/**
 * The characters that a terminal obeys instead of showing them: controls, line breaks other than `\n`, marks
 * of direction and other invisible ones. Joiners are left out: emoji and scripts need them.
 */
const UNPRINTABLE = /(?![\t\n\u200C\u200D])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/**
 * Makes a text of a user safe for a terminal. Each character that a terminal would obey becomes `\u001b` or
 * the like, so a text that is JSON stays the same JSON.
 */
export const printable = (text: string): string =>
  text.replaceAll(UNPRINTABLE, (found) =>
    Array.from({ length: found.length }, (_, i) => {
      const unit = found.charCodeAt(i).toString(16).padStart(4, '0');
      return `\\u${unit}`;
    }).join(''),
  );

/** Tells whether a terminal, a mail or a page can show `text` as one line. */
export const isOneLine = (text: string): boolean =>
  text.isWellFormed() && !/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u.test(text);
