import { checkNewPassword, preparePassword } from './password-policy.js';

const prepared = (input: string): string | undefined => {
  const result = preparePassword(input);
  return result.ok ? result.password : undefined;
};
const reason = (input: string): string | undefined => {
  const result = preparePassword(input);
  return result.ok ? undefined : result.refusal.msg;
};

describe('preparePassword', () => {
  // RFC 8265, section 4.3, tables 3 and 4.
  it.each([
    ['correct horse battery staple', 'correct horse battery staple'],
    ['Correct Horse Battery Staple', 'Correct Horse Battery Staple'],
    ['\u03C0\u00DF\u00E5', '\u03C0\u00DF\u00E5'],
    ['Jack of \u2666s', 'Jack of \u2666s'],
    ['foo\u1680bar', 'foo bar'],
    ['', undefined],
    ['my cat is a \tby', undefined],
  ])('prepares %j of RFC 8265 as %j', (input, expected) => {
    expect(prepared(input)).toBe(expected);
  });

  it('gives one form to NFD and NFC, up to the longest', () => {
    expect(prepared('e\u0301')).toBe('\u00E9');
    expect(prepared('\u03B1\u0313\u0300\u0345'.repeat(341))).toBe('\u1F82'.repeat(341));
    expect(prepared('u\u0308\u0304'.repeat(512))).toBe('\u01D6'.repeat(512));
  });

  it('maps every blank of Unicode to a space and keeps those at the edges', () => {
    expect(prepared('\u00A0a\u2003b\u3000')).toBe(' a b ');
  });

  it.each([
    ['64 letters of two bytes', '\u00E9'.repeat(64)],
    ['emoji with joiners and variation selectors', '\u{1F469}\u200D\u{1F4BB}\u2764\uFE0F'],
    ['a flag of tags', '\u{1F3F4}\u{E0067}\u{E0062}\u{E007F}'],
    ['compatibility characters', '\uFB01\uFF41\u2163'],
    ['old jamo', '\u1112\u119E'],
    ['1,024 bytes', 'x'.repeat(1_024)],
    ['1,024 bytes in 256 emoji', '\u{1F408}'.repeat(256)],
  ])('accepts %s unchanged', (_what, input) => {
    expect(prepared(input)).toBe(input);
  });

  it.each([
    ['1,025 letters', 'x'.repeat(1_025)],
    ['1,026 bytes', '\u00E9'.repeat(513)],
    ['1,025 bytes by its last letter', '\u00E9'.repeat(512) + 'x'],
    ['a megabyte', 'x'.repeat(1_000_000)],
  ])('refuses %s', (_what, input) => {
    expect(reason(input)).toBe('The password has more than 1024 bytes');
  });

  it.each(['\0', '\t', '\n', '\r', '\u001B', '\u007F', '\u0085', '\u2028', '\u2029'])(
    'refuses the control character %j',
    (control) => {
      expect(reason(`abc${control}defgh`)).toBe('The password must not contain control characters');
    },
  );

  it.each(['\u0378', '\uFFFF', '\u{10FFFF}', '\uE000'])('refuses the undefined %j', (point) => {
    expect(reason(`abcdefg${point}`)).toBe(
      'The password contains a character that Unicode does not define',
    );
  });

  it.each(['abcdefgh\uD800', '\uDC00abcdefgh', '\uDC00\uD800'])(
    'refuses ill-formed %j',
    (input) => {
      expect(reason(input)).toBe('The password is not well-formed Unicode');
    },
  );

  it('is idempotent', () => {
    const unstable: string[] = [];
    for (let code = 0; code <= 0x10ffff; code += 3) {
      const once = prepared(`a${String.fromCodePoint(code)}\u0301`);
      if (once !== undefined && prepared(once) !== once) unstable.push(once);
    }
    expect(unstable).toEqual([]);
  });
});

describe('checkNewPassword', () => {
  const context = { username: 'Juliet', email: 'rosa.capulet@example.com', minLength: 8 };

  it.each([
    'q7#vLm2p',
    'correct horse battery staple',
    'Montague-and-more',
    '\u043F\u0430\u0440\u043E\u0445\u043E\u0434\u044B',
    '\u{1F408}\u{1F415}\u{1F40E}\u{1F404}\u{1F416}\u{1F411}\u{1F413}\u{1F98A}',
    'example.com-fan',
  ])('accepts %s', (password) => {
    expect(checkNewPassword(password, context)).toBeUndefined();
  });

  it('counts code points', () => {
    const seven = '\u{1F408}\u{1F415}\u{1F40E}\u{1F404}\u{1F416}\u{1F411}\u{1F413}';
    expect(checkNewPassword(seven, context)?.msg).toBe('The password has fewer than 8 characters');
    expect(checkNewPassword('q7#vLm2pX', { minLength: 10 })?.msg).toContain('fewer than 10');
    expect(checkNewPassword('q7#vLm2pXy', { minLength: 10 })).toBeUndefined();
  });

  it.each([
    'password',
    'PASSWORD',
    'Password123',
    'iloveyou1',
    'qwertyuiop',
    '12345678',
    '87654321',
    'aaaaaaaa',
    'abcdefgh',
    'ZYXWVUTSRQ',
    '\u{1F408}'.repeat(9),
    '\u0430\u0431\u0432\u0433\u0434\u0435\u0436\u0437\u0438',
    '\uFF50\uFF41\uFF53\uFF53\uFF57\uFF4F\uFF52\uFF44',
  ])('refuses the common %s', (password) => {
    expect(checkNewPassword(password, context)?.msg).toBe('The password is one of the most common');
  });

  it.each(['xxjulietxx', 'JULIET-2026', '\uFF4A\uFF55\uFF4C\uFF49\uFF45\uFF54!!'])(
    'refuses %s, which contains the username',
    (password) => {
      expect(checkNewPassword(password, context)?.msg).toBe('The password contains the username');
    },
  );

  it('finds the username in any case and normal form', () => {
    const pairs = [
      ['\u03C3\u03BF\u03C6\u03CC\u03C2', 'xx-\u03A3\u039F\u03A6\u038C\u03A3-xx'],
      ['Rene\u0301e', 'REN\u00C9E-1954'],
    ];
    for (const [username, password = ''] of pairs) {
      const check = checkNewPassword(password.normalize('NFC'), { username, minLength: 8 });
      expect(check?.msg).toBe('The password contains the username');
    }
  });

  it('does not look for names of one or two characters, except as the whole', () => {
    const username = 'qx';
    expect(checkNewPassword('zzqxzzvk', { username, minLength: 8 })).toBeUndefined();
    expect(checkNewPassword('QX', { username, minLength: 2 })?.msg).toContain(
      'contains the username',
    );
    expect(checkNewPassword('zzqxzzvk', { email: 'qx@b.co', minLength: 8 })).toBeUndefined();
  });

  it('refuses the local part of the address', () => {
    expect(checkNewPassword('Rosa.Capulet!9', context)?.msg).toContain(
      'contains the e-mail address',
    );
  });

  it('refuses the name of the service', () => {
    expect(checkNewPassword('my-LatchKey-1', context)?.msg).toContain('the name of this service');
  });

  it('does without username and address', () => {
    expect(checkNewPassword('q7#vLm2p', { minLength: 8 })).toBeUndefined();
  });
});
