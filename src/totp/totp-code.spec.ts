import { enrolmentUri, newSecret, stepOfCode } from './totp-code.js';

/** The secret of RFC 6238, appendix B: `12345678901234567890`, in base 32. */
const SECRET = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';

/** The vectors for SHA-1, in seconds, with codes of eight digits. The last six are the code of six digits. */
const VECTORS: [seconds: number, code: string][] = [
  [59, '94287082'],
  [1111111109, '07081804'],
  [1111111111, '14050471'],
  [1234567890, '89005924'],
  [2000000000, '69279037'],
  [20000000000, '65353130'],
];

describe('a code', () => {
  it.each(VECTORS)('at %d s is the one of RFC 6238', (seconds, code) => {
    const step = Math.floor(seconds / 30);
    expect(stepOfCode(SECRET, code.slice(2), seconds * 1000)).toBe(step);
    // The shared step of RFC 6238 may be one earlier or later than the server's.
    expect(stepOfCode(SECRET, code.slice(2), (seconds - 30) * 1000)).toBe(step);
    expect(stepOfCode(SECRET, code.slice(2), (seconds + 30) * 1000)).toBe(step);
    expect(stepOfCode(SECRET, code.slice(2), (seconds - 60) * 1000)).toBeUndefined();
    expect(stepOfCode(SECRET, code.slice(2), (seconds + 60) * 1000)).toBeUndefined();
  });

  it('is of another step if one digit differs', () => {
    expect(stepOfCode(SECRET, '287083', 59_000)).toBeUndefined();
  });
});

it('makes secrets of 160 bits', () => {
  const secrets = new Set(Array.from({ length: 100 }, newSecret));
  expect(secrets.size).toBe(100);
  for (const secret of secrets) expect(secret).toMatch(/^[A-Z2-7]{32}$/);
});

it.each([
  ['Cat Club', 'ada', 'Cat%20Club:ada?issuer=Cat%20Club&'],
  ['id.example.org:8443', 'a:b', 'id.example.org-8443:a-b?issuer=id.example.org-8443&'],
  ['&=#', 'a/b?c 😀', '%26%3D%23:a%2Fb%3Fc%20%F0%9F%98%80?issuer=%26%3D%23&'],
])('makes the address of "%s" and "%s"', (issuer, account, label) => {
  expect(enrolmentUri(SECRET, { issuer, account })).toBe(
    `otpauth://totp/${label}secret=${SECRET}&algorithm=SHA1&digits=6&period=30`,
  );
});
