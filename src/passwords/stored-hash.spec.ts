import { readStoredHash } from './stored-hash.js';

const BCRYPT = '$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW';
const SALT = 'c29tZXNhbHQ';
const KEY = 'CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc';
const HEX = '09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7';

const algorithm = (text: string): string => {
  const read = readStoredHash(text);
  return read.ok ? read.hash.algorithm : read.reason;
};

it.each([
  [BCRYPT, 'bcrypt'],
  [BCRYPT.replace('$2b', '$2y'), 'bcrypt'],
  [BCRYPT.replace('$2b', '$2a'), 'bcrypt'],
  [`bcrypt$${BCRYPT}`, 'bcrypt'],
  [`sha384$${BCRYPT}`, 'bcrypt'],
  [`pbkdf2_sha256$260000$kJ3mYh9sQ2xL$${KEY}=`, 'pbkdf2'],
  [`pbkdf2:sha256:260000$kJ3mYh9s$${HEX}`, 'pbkdf2'],
  [`pbkdf2:sha512:260000$kJ3mYh9s$${HEX}`, 'pbkdf2'],
  [`$scrypt$ln=16,r=8,p=1$${SALT}$${KEY}`, 'scrypt'],
  [`scrypt$16384$kJ3mYh9s$8$5$${KEY}=`, 'scrypt'],
  [`scrypt:32768:8:1$kJ3mYh9s$${HEX}`, 'scrypt'],
  [`$argon2id$v=19$m=65536,t=2,p=1$${SALT}$${KEY}`, 'argon2id'],
  [`argon2$argon2id$v=19$m=262144,t=4,p=8$${SALT}$${KEY}`, 'argon2id'],
  [`bcrypt_sha256$${BCRYPT}`, 'bcrypt'],
  [`$wp${BCRYPT.replace('$2b', '$2y')}`, 'bcrypt'],
  [`pbkdf2_sha1$260000$kJ3mYh9sQ2xL$${KEY}=`, 'pbkdf2'],
  [`$pbkdf2-sha256$6400$${SALT}$${KEY}`, 'pbkdf2'],
])('takes %s', (text, expected) => {
  expect(algorithm(text)).toBe(expected);
});

it('knows a condensed hash from one of a whole password', () => {
  expect(readStoredHash(`sha384$${BCRYPT}`)).toMatchObject({ hash: { condensed: true } });
  expect(readStoredHash(`bcrypt$${BCRYPT}`)).toMatchObject({ hash: { condensed: false } });
});

const UNKNOWN = 'The form of the hash is not known';
it.each([
  '',
  '!',
  'correct horse battery staple',
  HEX,
  BCRYPT.replace('$2b', '$2x'),
  BCRYPT.slice(0, -1),
  `${BCRYPT}\n`,
  `sha384$bcrypt$${BCRYPT}`,
  '$1$saltstri$YMyguxXMBpd2TEZ.vS/3q1',
  '5f4dcc3b5aa765d61d8327deb882cf99',
  'sha1$saltsalt$b9adf3b3e0ad9bb0d6c2d5a6f1e4a5f9d7d2b1c0',
  `md5$saltsalt$${HEX.slice(0, 32)}`,
  `pbkdf2_sha256$-1$kJ3mYh9sQ2xL$${KEY}=`,
  `pbkdf2_sha256$1e5$kJ3mYh9sQ2xL$${KEY}=`,
  `pbkdf2_sha256$999999999999$kJ3mYh9sQ2xL$${KEY}=`,
  `$argon2i$v=19$m=65536,t=2,p=1$${SALT}$${KEY}`,
  `$argon2id$v=16$m=65536,t=2,p=1$${SALT}$${KEY}`,
  `$argon2id$m=65536,t=2,p=1$${SALT}$${KEY}`,
  `$argon2id$v=19$m=65536,t=2,p=1,keyid=a$${SALT}$${KEY}`,
])('does not know %j', (text) => {
  expect(algorithm(text)).toBe(UNKNOWN);
});

const MUCH = 'The hash asks for too much work for each login';
const LITTLE = 'The hash was made with too little work to be worth anything';
const LARGE = 'The hash asks for no lane, more than 16, or more than 256 MiB';
const TOO_HIGH = 'The cost of the scrypt hash is too high for its block size';
const FIREBASE =
  '$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk=jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJ' +
  'zxUECKbm0QsEmYUSDzZvpjeJ9WmXA==$42xEC+ixf3L2lw==$lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZv' +
  'qmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==';
const MALFORMED = 'The salt or the key of the hash is malformed, too short or too long';
it.each([
  [BCRYPT.replace('$12', '$31'), MUCH],
  [BCRYPT.replace('$12', '$17'), MUCH],
  [BCRYPT.replace('$12', '$03'), LITTLE],
  [`pbkdf2_sha256$5000001$kJ3mYh9sQ2xL$${KEY}=`, MUCH],
  [`pbkdf2_sha256$999$kJ3mYh9sQ2xL$${KEY}=`, LITTLE],
  [`pbkdf2_sha256$0$kJ3mYh9sQ2xL$${KEY}=`, LITTLE],
  [`pbkdf2_sha256$260000$kJ3mYh9sQ2xL$${KEY}`, MALFORMED],
  [`pbkdf2_sha256$260000$kJ3mYh9sQ2xL$${KEY.slice(0, -1)}d=`, MALFORMED],
  [`pbkdf2_sha256$260000$kJ3mYh9sQ2xL$AAAA`, MALFORMED],
  [`pbkdf2_sha256$260000$short$${KEY}=`, MALFORMED],
  [`pbkdf2:sha256:260000$kJ3mYh9s$${HEX}f`, MALFORMED],
  [`pbkdf2:sha256:260000$kJ3mYh9s$${HEX.toUpperCase()}`, MALFORMED],
  [`$scrypt$ln=99,r=8,p=1$${SALT}$${KEY}`, LARGE],
  [`$scrypt$ln=19,r=8,p=1$${SALT}$${KEY}`, LARGE],
  [`$scrypt$ln=18,r=8,p=16$${SALT}$${KEY}`, MUCH],
  [`$scrypt$ln=14,r=8,p=17$${SALT}$${KEY}`, LARGE],
  [`$scrypt$ln=14,r=8,p=0$${SALT}$${KEY}`, LARGE],
  [`$scrypt$ln=14,r=0,p=1$${SALT}$${KEY}`, LITTLE],
  [`$scrypt$ln=16,r=1,p=1$${SALT}$${KEY}`, TOO_HIGH],
  [`$scrypt$ln=21,r=1,p=1$${SALT}$${KEY}`, TOO_HIGH],
  [`scrypt:65536:1:1$kJ3mYh9s$${HEX}`, TOO_HIGH],
  [`$5$rounds=999$saltstring$${'a'.repeat(43)}`, LITTLE],
  [`$6$rounds=1000001$saltstring$${'a'.repeat(86)}`, MUCH],
  [`$6$saltstring$${'a'.repeat(43)}`, MALFORMED],
  [`$6$short$${'.'.repeat(86)}`, MALFORMED],
  [`$P$JIQRaTwmf${'.'.repeat(22)}`, MUCH],
  [`$P$5IQRaTwmf${'.'.repeat(22)}`, LITTLE],
  [`$P$BIQRaTwmf${'z'.repeat(22)}`, MALFORMED],
  [FIREBASE.replace('n=14', 'n=31'), LARGE],
  [FIREBASE.replace('r=8', 'r=0'), 'The hash is not well-formed'],
  [FIREBASE.replace('ss=Bw==', 'ss=').replace('42xEC+ixf3L2lw==', 'AAAA'), MALFORMED],
  [FIREBASE.replace('lSrf', ''), 'The hash is not well-formed'],
  [`$scrypt$ln=9,r=8,p=1$${SALT}$${KEY}`, LITTLE],
  [`scrypt:32767:8:1$kJ3mYh9s$${HEX}`, 'The cost of the scrypt hash is not a power of two'],
  [`scrypt:0:8:1$kJ3mYh9s$${HEX}`, 'The cost of the scrypt hash is not a power of two'],
  [`$argon2id$v=19$m=262145,t=1,p=1$${SALT}$${KEY}`, LARGE],
  [`$argon2id$v=19$m=65536,t=1,p=0$${SALT}$${KEY}`, LARGE],
  [`$argon2id$v=19$m=65536,t=1,p=17$${SALT}$${KEY}`, LARGE],
  [`$argon2id$v=19$m=65536,t=99999999,p=1$${SALT}$${KEY}`, MUCH],
  [`$argon2id$v=19$m=65536,t=0,p=1$${SALT}$${KEY}`, 'The hash is not well-formed'],
  [`$argon2id$v=19$m=64,t=999,p=16$${SALT}$${KEY}`, 'The hash is not well-formed'],
  [`$argon2id$v=19$m=1024,t=1,p=1$${SALT}$${KEY}`, LITTLE],
  [`$argon2id$v=19$m=65536,t=2,p=1$YWJj$${KEY}`, MALFORMED],
  [`$argon2id$v=19$m=65536,t=2,p=1$${SALT}$YWJjZGVm`, MALFORMED],
  [`$argon2id$v=19$m=65536,t=2,p=1$${SALT}$${KEY}=`, MALFORMED],
  [`$argon2id$v=19$m=65536,t=2,p=1$${SALT}$*${KEY}`, MALFORMED],
  [`pbkdf2_sha256$260000$${'s'.repeat(256)}$${KEY}=`, 'The hash has more than 255 characters'],
])('refuses %j', (text, reason) => {
  expect(algorithm(text)).toBe(reason);
});

it('computes every scrypt hash that it accepts, at the bounds', () => {
  for (const r of [1, 2, 8, 99]) {
    for (const p of [1, 16]) {
      for (let ln = 1; ln <= 22; ln++) {
        const read = readStoredHash(`$scrypt$ln=${ln},r=${r},p=${p}$${SALT}$${KEY}`);
        if (!read.ok || read.hash.algorithm !== 'scrypt') continue;
        // OpenSSL's own limits (RFC 7914, section 2), and the memory of a thread.
        const { cost, blockSize, parallelism } = read.hash;
        expect(Math.log2(cost)).toBeLessThan(16 * blockSize);
        expect(128 * blockSize * (cost + parallelism + 2)).toBeLessThan(2 ** 29);
      }
    }
  }
});

it('clears the bits of a bcrypt hash that are not used, which old libraries have set', () => {
  // `$2b$12$R9h/cIPz0gi.URNNX3kh2O`: the last letter has four unused bits, the key's last one has two.
  for (const salt of ['O', 'P', 'Q', 'a', 'd']) {
    for (const last of ['W', 'X', 'Y', 'Z']) {
      const text = `${BCRYPT.slice(0, 28)}${salt}${BCRYPT.slice(29, 59)}${last}`;
      const read = readStoredHash(text);
      expect(read).toMatchObject({
        ok: true,
        hash: { hash: BCRYPT },
      });
    }
  }
});
