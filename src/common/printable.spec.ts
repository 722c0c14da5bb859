import { isOneLine, printable } from './printable.js';

it.each([
  ['\u001B[31mred', '\\u001b[31mred'],
  ['a\u009B2Jb', 'a\\u009b2Jb'],
  ['bell\u0007, delete\u007F, return\r', 'bell\\u0007, delete\\u007f, return\\u000d'],
  ['right\u202Eleft', 'right\\u202eleft'],
  ['line\u2028and\u2029paragraph', 'line\\u2028and\\u2029paragraph'],
  ['tag\u{E0041}', 'tag\\udb40\\udc41'],
  ['half\uD800', 'half\\ud800'],
])('shows %j as it stands', (text, expected) => {
  expect(printable(text)).toBe(expected);
  expect(JSON.parse(printable(JSON.stringify(text)))).toBe(text);
});

it('leaves what a terminal shows as it is', () => {
  for (const text of ['Ida Łukasz', 'a\tb\nc', '👩‍🚀', 'مرحبا', '东'])
    expect(printable(text)).toBe(text);
});

it('knows what fits on one line', () => {
  expect(isOneLine('Chargeback, see 👩‍🚀')).toBe(true);
  for (const text of ['a\nb', '\u001B[0m', '\u009B', '\u2028', '\u202E', '\uD800']) {
    expect(isOneLine(text)).toBe(false);
  }
});
