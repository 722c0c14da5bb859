import { prepareUsername, readUsername } from './username.js';

const key = (name: string): string | undefined => {
  const prepared = prepareUsername(name);
  return prepared.ok ? prepared.key : undefined;
};
const reason = (name: string): string | undefined => {
  const prepared = prepareUsername(name);
  return prepared.ok ? undefined : prepared.reason;
};

describe('prepareUsername', () => {
  // RFC 8265, section 3.5, tables 1 and 2, without the examples that hold an @.
  it.each([
    ['fussball', 'fussball'],
    ['fu\u00DFball', 'fu\u00DFball'],
    ['\u03C0', '\u03C0'],
    ['\u03A3', '\u03C3'],
    ['\u03C3', '\u03C3'],
  ])('prepares %j of RFC 8265 as %j', (name, expected) => {
    expect(key(name)).toBe(expected);
  });

  it.each([
    ['juliet@example.com', 'The username must not contain @'],
    ['foo bar', 'The username must not contain blanks'],
    ['', 'The username is empty'],
    ['henry\u2163', expect.stringContaining('not a letter')],
    ['\u265A', expect.stringContaining('not a letter')],
  ])('refuses %j of RFC 8265', (name, expected) => {
    expect(reason(name)).toEqual(expected);
  });

  it.each([
    ['capitals', 'Grace', 'gRACE'],
    ['fullwidth letters', '\uFF27\uFF52\uFF41\uFF43\uFF45', 'grace'],
    ['halfwidth katakana', '\uFF76\uFF9E', '\u30AC'],
    ['NFD', 'Rene\u0301', 'Ren\u00E9'],
    ['stacked marks in another order', 'a\u0323\u0302', 'a\u0302\u0323'],
    ['the Kelvin sign', '\u212Aelvin', 'kelvin'],
    ['the Angstrom sign', '\u212B', '\u00E5'],
    ['a capital sharp s', 'fu\u1E9Eball', 'fu\u00DFball'],
    ['a final sigma', '\u03C3\u03BF\u03C6\u03CC\u03C2', '\u03A3\u039F\u03A6\u038C\u03A3'],
    ['a sigma that another letter follows', '\u03A3\u03A3', '\u03C3\u03C3'],
    ['a second small form in Cyrillic', '\u1C80', '\u0412'],
    ['astral capitals', '\u{10400}', '\u{10428}'],
    ['Cherokee', '\u13A0', '\uAB70'],
  ])('gives one key to %s', (_what, one, other) => {
    expect(key(one)).toBeDefined();
    expect(key(one)).toBe(key(other));
  });

  it.each([' ada', 'ada ', '\tada\n', '\u00A0ada\u3000'])('takes the blanks off %j', (name) => {
    expect(prepareUsername(name)).toEqual({ ok: true, username: 'ada', key: 'ada' });
  });

  it('treats a text of blanks alone as empty', () => {
    expect(reason(' \u3000 ')).toBe('The username is empty');
  });

  it.each([
    ['sharp s and ss', 'stra\u00DFe', 'strasse'],
    ['dotless and dotted i', '\u0131', 'i'],
    ['Turkish capital I with dot and i', '\u0130', 'i'],
  ])('keeps apart %s', (_what, one, other) => {
    expect(key(one)).toBeDefined();
    expect(key(one)).not.toBe(key(other));
  });

  it.each([
    ['every visible ASCII sign but @', '!"#$%&\'()*+,-./:;<=>?[\\]^_`{|}~'],
    ['a middle dot between two l', 'l\u00B7l'],
    ['a keraia before Greek', '\u0375\u03B2'],
    ['a geresh after Hebrew', '\u05D0\u05F3'],
    ['a katakana middle dot with katakana', '\u30AB\u30FB\u30CA'],
    ['Han, kana and Latin together', 'tokyo\u6771\u4EAC\u30A2'],
    ['Hebrew', '\u05E9\u05DC\u05D5\u05DD'],
    ['Hebrew with European digits', '\u05D0\u05D17'],
    ['Arabic with Arabic digits', '\u0639\u0644\u064A\u0661\u0662'],
    ['Arabic that ends in a mark', '\u0639\u064E'],
    ['Devanagari with virama', '\u0915\u094D\u0937'],
    ['the exception U+3007', '\u3007'],
  ])('allows %s', (_what, name) => {
    expect(key(name)).toBe(name);
  });

  it.each([
    ['a tab', 'a\tb'],
    ['a no-break space', 'a\u00A0b'],
    ['an ideographic space', 'a\u3000b'],
    ['a line separator', 'a\u2028b'],
  ])('refuses %s as a blank', (_what, name) => {
    expect(reason(name)).toBe('The username must not contain blanks');
  });

  it.each([
    ['NUL', 'a\0'],
    ['DEL', 'a\u007F'],
    ['a soft hyphen', 'a\u00ADb'],
    ['a zero-width space', 'a\u200Bb'],
    ['a zero-width joiner', 'a\u200Db'],
    ['a joiner after a virama', '\u0915\u094D\u200D\u0937'],
    ['a zero-width non-joiner', '\u0628\u200C\u0628'],
    ['a word joiner', 'a\u2060'],
    ['a bidi override', 'a\u202Eb'],
    ['a bidi isolate', 'a\u2066b'],
    ['a variation selector', 'a\uFE0F'],
    ['tag characters', 'a\u{E0041}'],
    ['a noncharacter', 'a\uFFFF'],
    ['an unassigned code point', 'a\u0378'],
    ['a private one', 'a\uE000'],
    ['old jamo', '\u1100'],
    ['halfwidth jamo', '\uFFA1\uFFC2'],
    ['a Hangul filler', '\u3164'],
    ['a ligature', '\uFB01'],
    ['a long s', '\u017F'],
    ['a mathematical letter', '\u{1D49C}'],
    ['a superscript', 'a\u00B2'],
    ['a currency sign', 'a\u20AC'],
    ['an emoji', 'cat\u{1F408}'],
    ['punctuation beyond ASCII', 'a\u2014b'],
    ['an enclosing mark', 'a\u20DD'],
    ['tatweel', '\u0639\u0640\u0644'],
    ['a middle dot elsewhere', 'a\u00B7b'],
    ['a katakana middle dot alone', 'a\u30FBb'],
    ['a geresh after Latin', 'a\u05F3'],
    ['two kinds of Arabic digits', '\u0639\u0661\u06F1'],
  ])('refuses %s', (_what, name) => {
    expect(reason(name)).toContain('not a letter, digit or ASCII sign');
  });

  it.each([
    ['Latin, then Hebrew', 'a\u05D0'],
    ['Hebrew, then Latin', '\u05D0a'],
    ['Arabic digits after Latin', 'abc\u0661'],
    ['Arabic digits first', '\u0661\u0639'],
    ['both kinds of digits', '\u0639\u06611'],
    ['Hebrew that ends in a sign', '\u05D0-'],
    ['a letter newer than the RFC', '\u0870a'],
  ])('refuses mixed directions: %s', (_what, name) => {
    expect(reason(name)).toBe('The username mixes right-to-left and left-to-right text');
  });

  it.each([
    ['Cyrillic in Latin', '\u0430dmin'],
    ['Greek in Latin', 'adm\u03B9n'],
    ['Greek in Cyrillic', '\u0430\u03BF'],
    ['Armenian in Latin', '\u0578ame'],
    ['Cherokee in Latin', '\u13A0ame'],
    ['Coptic in Latin', 'r\u2C9F\u2C9Ft'],
    ['Lisu in Latin', '\uA4EEdmin'],
    ['Tifinagh in Latin', '\u2D54oot'],
    ['a Devanagari digit in Latin', 'adm\u0966n'],
    ['Thai in Latin', 'a\u0E01'],
    ['Hangul in Japanese', '\uAC00\u30AB'],
    ['Cyrillic in Japanese', '\u0430\u30AB'],
  ])('refuses look-alikes: %s', (_what, name) => {
    expect(reason(name)).toBe('The username mixes alphabets that look alike');
  });

  it('refuses digits of two systems', () => {
    expect(reason('\u0915\u09665')).toBe('The username mixes digits of several systems');
  });

  it('reads a name that is refused to new users, so that present ones keep it', () => {
    expect(readUsername('r\u2C9F\u2C9Ft')).toEqual({
      ok: true,
      username: 'r\u2C9F\u2C9Ft',
      key: 'r\u2C9F\u2C9Ft',
    });
  });

  it('refuses a name that starts with a combining mark', () => {
    expect(reason('\u0301a')).toBe('The username must not start with a combining mark');
  });

  it('refuses @ in fullwidth, too', () => {
    expect(reason('a\uFF20b')).toBe('The username must not contain @');
  });

  it.each(['a\uD800', '\uDC00a', '\uDC00\uD800'])('refuses ill-formed UTF-16', (name) => {
    expect(reason(name)).toBe('The username is not well-formed Unicode');
  });

  it.each(['a', '\u00DF', '\u{10428}', '\u6771'])(
    'allows 64 code points of %s, not 65',
    (point) => {
      expect(key(point.repeat(64))).toBe(point.repeat(64));
      expect(reason(point.repeat(65))).toBe('The username has more than 64 characters');
    },
  );

  it('counts what the prepared form has', () => {
    expect(key('e\u0301'.repeat(64))).toBe('\u00E9'.repeat(64));
    expect(reason('\u0130'.repeat(33))).toBe('The username has more than 64 characters');
  });

  it('refuses a megabyte at once', () => {
    const started = performance.now();
    expect(reason('\u212B'.repeat(1_000_000))).toBe('The username has more than 64 characters');
    expect(performance.now() - started).toBeLessThan(100);
  });

  it('is idempotent, whatever the code point', () => {
    const unstable: string[] = [];
    for (let code = 0; code <= 0x10ffff; code += code < 0x3000 ? 1 : 7) {
      const point = String.fromCodePoint(code);
      for (const name of [point, `a${point}`]) {
        const prepared = key(name);
        if (prepared !== undefined && key(prepared) !== prepared) unstable.push(name);
      }
    }
    expect(unstable).toEqual([]);
  });

  it('gives one key to names that differ in case only, whatever the letter', () => {
    const apart: string[] = [];
    for (let code = 0; code <= 0x1ffff; code++) {
      const point = String.fromCodePoint(code);
      const upper = point.toUpperCase();
      // Dotless i shares its capital with i; a capital of two letters is another spelling.
      if (point === '\u0131' || upper === point || Array.from(upper).length > 1) continue;
      const prepared = key(point);
      if (prepared !== undefined && key(upper) !== prepared) apart.push(point);
    }
    expect(apart).toEqual([]);
  });
});
