import { skeletonOf } from './look-alikes.js';

describe('skeletonOf', () => {
  it.each([
    ['dotless i', 'adm\u0131n', 'admin'],
    ['Latin alpha', '\u0251dmin', 'admin'],
    ['a small capital', '\u1D00dmin', 'admin'],
    ['Coptic', '\u2C9F', 'o'],
    ['Cyrillic', '\u0441\u043E\u0441\u043E', 'coco'],
    ['Cyrillic whose capitals are alike', '\u0432\u043E\u0442', 'bot'],
    ['a ligature', '\u00E6gir', 'aegir'],
    ['a letter with a mark', '\u0251\u0301', '\u00E1'],
    ['a stroke', '\u00F8', 'o\u0338'],
  ])('takes %s for Latin', (_what, key, skeleton) => {
    expect(skeletonOf(key)).toBe(skeleton);
    expect(skeletonOf(skeleton)).toBe(skeleton);
  });

  it.each(['arnie', 'amie', 'user1', 'userl', 'b0b', 'r\u00E9n\u00E9', '\u6771\u4EAC', '\uAC00'])(
    'leaves %s as it is',
    (key) => {
      expect(skeletonOf(key)).toBe(key);
    },
  );

  it('fits into its column, whatever the name', () => {
    let longest = 0;
    for (let code = 0; code <= 0x2ffff; code++) {
      if (code >= 0xd800 && code <= 0xdfff) continue;
      longest = Math.max(longest, skeletonOf(String.fromCodePoint(code).repeat(64)).length);
    }
    expect(longest).toBeLessThanOrEqual(512);
  });
});
