import { prepareEmail } from './email.js';

const key = (input: string): string | undefined => {
  const prepared = prepareEmail(input);
  return prepared.ok ? prepared.key : undefined;
};

describe('prepareEmail', () => {
  it('keeps the address as typed', () => {
    const email = 'Grace.Hopper+Navy@Example.ORG';
    const expected = { ok: true, email, key: 'grace.hopper+navy@example.org' };
    expect(prepareEmail(email)).toEqual(expected);
  });

  it.each([
    ['case', 'A@B.Co', 'a@b.co'],
    ['NFD', 'jose\u0301@example.com', 'jos\u00E9@example.com'],
    ['an internationalised domain', 'a@Ex\u00E4mple.com', 'a@xn--exmple-cua.com'],
    ['an ideographic full stop', 'a@b\u3002co', 'a@b.co'],
    ['a final sigma', '\u03BF\u03C2@b.co', '\u039F\u03A3@b.co'],
    ['the Kelvin sign', '\u212A@b.co', 'k@b.co'],
  ])('gives one key whatever the %s', (_what, one, other) => {
    expect(key(one)).toBeDefined();
    expect(key(one)).toBe(key(other));
  });

  it.each([' a@b.co', 'a@b.co ', '\u00A0a@b.co\n'])('takes the blanks off %j', (email) => {
    expect(prepareEmail(email)).toEqual({ ok: true, email: 'a@b.co', key: 'a@b.co' });
  });

  it.each([
    '\u044F@\u043F\u0440\u0438\u043C\u0435\u0440.\u0440\u0444',
    '\u6771@\u4F8B\u3048.jp',
    "!#$%&'*+-/=?^_`{|}~@b.co",
    "o'brien@mail.example.ie",
    'a@1.example.com',
    `${'a'.repeat(64)}@b.co`,
    `${'\u00E9'.repeat(32)}@b.co`,
    `a@${'x'.repeat(63)}.co`,
    `a@${'xxx.'.repeat(62)}co`,
  ])('accepts %s', (email) => {
    expect(prepareEmail(email)).toMatchObject({ ok: true, email });
  });

  it.each([
    ['nothing', ''],
    ['no @', 'ab.co'],
    ['two @', 'a@b@c.co'],
    ['no local part', '@b.co'],
    ['no domain', 'a@'],
    ['one label', 'a@localhost'],
    ['an empty label', 'a@b..co'],
    ['a dot at the end', 'a@b.co.'],
    ['a hyphen at an edge', 'a@-b.co'],
    ['an underscore in the domain', 'a@b_c.co'],
    ['a label of 64', `a@${'x'.repeat(64)}.co`],
    ['a dot first', '.a@b.co'],
    ['a dot last', 'a.@b.co'],
    ['two dots', 'a..b@b.co'],
    ['a blank', 'a b@c.co'],
    ['a no-break space', 'a\u00A0b@c.co'],
    ['a header injected', 'a@b.co\r\nBcc: c@d.co'],
    ['NUL', 'a\0@b.co'],
    ['a bidi override', 'a\u202E@b.co'],
    ['a soft hyphen in the domain', 'a@b\u00ADc.co'],
    ['a joiner', 'a\u200D@b.co'],
    ['a lone surrogate', 'a\uD800@b.co'],
    ['a quoted local part', '"a b"@c.co'],
    ['a display name', 'A <a@b.co>'],
    ['two addresses', 'a@b.co,c@d.co'],
    ['an address literal', 'a@[127.0.0.1]'],
    ['an IPv4 address', 'a@127.0.0.1'],
    ['an IPv4 address in hex', 'a@0x7f.1'],
    ['a port', 'a@b.co:25'],
    ['a path', 'a@b.co/x'],
    ['a query', 'a@b.co?x'],
    ['a fragment', 'a@b.co#x'],
    ['a percent-encoded domain', 'a@%62%2eco'],
    ['a domain that is no punycode', 'a@xn--a.co'],
    ['a label that is no punycode', 'a@example.xn--0.com'],
    ['a local part of 65 bytes', `${'a'.repeat(65)}@b.co`],
    ['a local part of 66 bytes in 33 characters', `${'\u00E9'.repeat(33)}@b.co`],
    ['255 bytes', `aaa@${'xxx.'.repeat(62)}com`],
    ['a megabyte', `${'a'.repeat(1_000_000)}@b.co`],
  ])('refuses %s', (_what, email) => {
    expect(prepareEmail(email)).toEqual({
      ok: false,
      reason: 'The email is not an e-mail address',
    });
  });

  it('gives a key that is its own key', () => {
    for (const email of [
      '\u0130@B.Co',
      '\u03BF\u03C2@\u03B2.gr',
      'J\u030C@b.co',
      '\u1E9E@\u00DF.de',
    ]) {
      expect(key(key(email) ?? '')).toBe(key(email));
    }
  });
});
