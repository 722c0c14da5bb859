import { User } from '../src/users/user.entity.js';
import { latchkey } from './support/server-cli.js';
import { GOOD_PASSWORD, type Server, startServer } from './support/server.js';

/** 90 bytes: bcrypt elsewhere has read 72 of them. */
const LONG = 'correct horse battery staple, '.repeat(3);

/**
 * Hashes of {@link GOOD_PASSWORD} (`long` of {@link LONG}, `reference` of `password`) that other
 * programs have made: bcrypt by the C library's crypt(3), PBKDF2 and scrypt by Python's hashlib, SHA-crypt by
 * OpenSSL and crypt(3), phpass by its algorithm in Python, “own test” the test of that project itself,
 * `reference` the test of Argon2's reference implementation, `passlib` the example of its documentation.
 */
const HASHES: Record<string, string> = {
  'bcrypt 2a': '$2a$06$nopqrstuvwxyzabcdefghOQVM5SoC6anl2Po/AG3xElIzxGaUdXbq',
  'bcrypt 2b': '$2b$05$abcdefghijklmnopqrstuuFiPhXf1sVd3pCCRO.uVh34H/qI/ZsuS',
  'bcrypt 2y': '$2y$05$abcdefghijklmnopqrstuuFiPhXf1sVd3pCCRO.uVh34H/qI/ZsuS',
  'bcrypt Django': 'bcrypt$$2b$05$abcdefghijklmnopqrstuuFiPhXf1sVd3pCCRO.uVh34H/qI/ZsuS',
  long: '$2a$04$abcdefghijklmnopqrstuuF.CTsZXZxDKTOpMu0brRDDLr07GQf36',
  'PBKDF2 Django': 'pbkdf2_sha256$260000$kJ3mYh9sQ2xL$vpKLzBi+a6UErinQ5CYjlDaaxbZTgQwSnhF61iDgXd4=',
  'PBKDF2 Werkzeug':
    'pbkdf2:sha512:50000$x7Qp1zVb$319be94f1b0464c3a7d9f9ee706226efb9d1c10d637e8a44d23c1de369e527f9' +
    '46acd3bc8b022262904c130113f5e07abd857c6818eab1d47dc6f84f52d25c0f',
  'scrypt PHC':
    '$scrypt$ln=14,r=8,p=1$AAECAwQFBgcICQoLDA0ODw$11kKyiyYAc8G7rp3KmncMc44YlkdllIqxOa7pq0fMaU',
  'scrypt Django':
    'scrypt$16384$Zr8tW0aLq3uE$8$5$ALAXUgtMVPRZXP7kAi/HgPqEnWEFDi4Aevsl6EWE8tPvpPw+FekxWk6YLoM87' +
    '/3eZ4ADl8ASrtomok1915GCaQ==',
  'scrypt Werkzeug':
    'scrypt:32768:8:1$s1ZfTq0nJ5vXcB7k$b13e84395dd8499c308fdcab2e40820d35b8f09d27795337a4501657e0cd' +
    '91362c9692b59ae4df64f441f60a12f2df2991e7beaa315c2f63d632dbe7504039c9',
  passlib:
    '$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E',
  reference:
    '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
  'Argon2id OWASP':
    '$argon2id$v=19$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$gy5SuVm5Z7Vw7keB9se9p87QGcomaseB/S2U1OhTsM0',
  'Argon2id Django':
    'argon2$argon2id$v=19$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$gy5SuVm5Z7Vw7keB9se9p87QGcomaseB/S2U1OhTsM0',
  'bcrypt_sha256 Django':
    'bcrypt_sha256$$2b$05$abcdefghijklmnopqrstuuo5UaIBysJIH5CaMip.8XQbctZzHcXPa',
  'WordPress 6-8': '$wp$2y$05$abcdefghijklmnopqrstuuLtr61Zun9VeMy6q1tHddJGde8vA6ORO',
  'passlib bcrypt_sha256 2':
    '$bcrypt-sha256$v=2,t=2b,r=5$n79VH.0Q2TMWmt3Oqt9uku$jbpnBF030gaIxRuSRILNjDaqLxmwe.O',
  'passlib bcrypt_sha256 1':
    '$bcrypt-sha256$2a,5$n79VH.0Q2TMWmt3Oqt9uku$BV780Ia9aaPmeYjBXJeAV2ba/2xpmAy',
  'passlib pbkdf2 sha1': '$pbkdf2$2900$yMnKy8zNzs/Q0dLT1NXW1w$GmpTIKOqEdQyghHsB9FjXDpMSXU',
  'passlib pbkdf2 sha256':
    '$pbkdf2-sha256$2900$yMnKy8zNzs/Q0dLT1NXW1w$RRr62leTD2vkuodyfg5UrhrWHQCca9ChlnUib/Ofl04',
  'passlib pbkdf2 sha512':
    '$pbkdf2-sha512$2900$yMnKy8zNzs/Q0dLT1NXW1w$1mTQoJhs0qBsDcb4kUvRstxQg5kkuzALebE4bewOVopOOI6j.ooVSf5ZAbiyxlrR7rnFUQ6wELLcm13PgdzhlA',
  'PBKDF2 SHA-1 Django': 'pbkdf2_sha1$2600$kJ3mYh9sQ2xL$ge2OIWKD/KrfZMijhiuV0yyj32w=',
  'ASP-NET v3':
    'AQAAAAEAACcQAAAAEAABAgMEBQYHCAkKCwwNDg/Z+V9lwt+dKF0miCMAylvinj7VAFVmY4NcTGLicFFQIg==',
  'ASP-NET v3 of -NET 7':
    'AQAAAAIAACcQAAAAEAABAgMEBQYHCAkKCwwNDg+/trQIPvvcZVKxaRBQzPuDfN5Lt/JaBL7Shv2Ux2AzOA==',
  'ASP-NET v2': 'AAABAgMEBQYHCAkKCwwNDg8A6b+Q5v/5gBndnBKiBiA27187WD3zrXpRRPbHcnNx7A==',
  'SHA-crypt 5': '$5$saltstring$hixOXgchwauyzVtlSM/e7UnQx0qiTk74JE/YU53IbE0',
  'SHA-crypt 5 rounds':
    '$5$rounds=1400$anotherlongsalts$sw4nxJsiJXpEwiiUuqI9Tpwduvoz/aXd/SVh9LlV1c6',
  'SHA-crypt 6':
    '$6$saltstring$qvPJY4PeugKzKQqyIJ0gRdJnpS0uaaiZ.X1SaheFedsK/yZPwlluTLS90fJPM41sD5JxCHKgGr1..qt5HqEY8.',
  'SHA-crypt 6 rounds':
    '$6$rounds=1400$anotherlongsalts$DY8ofsHFwr6qUPLa1CEoQGwXJoRil1PKmXBbSOenTcLcsBy4jAfIOZdnnEP.DV9c9SkLwknNyyn0xLnV6Ykmu1',
  phpass: '$P$BIQRaTwmfbmne2plAsTiUpx2SeCg.L.',
  'SHA-crypt 5 libxcrypt': '$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5',
  'SHA-crypt 6 libxcrypt':
    '$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1',
  'passlib bcrypt_sha256 docs':
    '$bcrypt-sha256$v=2,t=2b,r=12$n79VH.0Q2TMWmt3Oqt9uku$Kq4Noyk3094Y2QlB8NdRT8SvGiI4ft2',
  'phpass own test': '$P$9IQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0',
  'ASP-NET v3 own test':
    'AQAAAAEAACcQAAAAEAABAgMEBQYHCAkKCwwNDg+yWU7rLgUwPZb1Itsmra7cbxw2EFpwpVFIEtP+JIuUEw==',
  'ASP-NET v2 own test': 'AAABAgMEBQYHCAkKCwwNDg+ukCEMDf0yyQ29NYubggHIVY0sdEUfdyeM+E1LtH1uJg==',
  'Firebase own test':
    '$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk=jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==$42xEC+ixf3L2lw==$lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==',
  'bcrypt with unused bits': '$2b$05$abcdefghijklmnopqrstuvFiPhXf1sVd3pCCRO.uVh34H/qI/ZsuT',
};
const PASSWORDS: Record<string, string> = {
  'SHA-crypt 5 libxcrypt': 'Hello world!',
  'SHA-crypt 6 libxcrypt': 'Hello world!',
  'passlib bcrypt_sha256 docs': 'password',
  'phpass own test': 'test12345',
  'ASP-NET v3 own test': 'my password',
  'ASP-NET v2 own test': 'my password',
  'Firebase own test': 'user1password',
  long: LONG,
  passlib: 'password',
  reference: 'password',
};

let server: Server;
beforeAll(async () => {
  server = await startServer({ RATE_LIMITS: 'off' });
  const users = Object.entries(HASHES).map(([name, passwordHash]) =>
    JSON.stringify({ username: nameOf(name), passwordHash }),
  );
  const args = ['users', 'import', '-'];
  const { code, stdout } = await latchkey(server, args, { input: users.join('\n') });
  expect([code, stdout]).toEqual([0, `${users.length} imported, 0 already present, 0 refused\n`]);
});
afterAll(() => server.stop());

const nameOf = (name: string) => name.toLowerCase().replaceAll(/[ _]/g, '-');
const hashOf = (username: string) =>
  server.withDatabase(async ({ manager }) => {
    const user = await manager.findOneByOrFail(User, { username });
    return user.passwordHash;
  });

it.each(Object.keys(HASHES))('verifies %s and renews it at that login', async (name) => {
  const username = nameOf(name);
  const password = PASSWORDS[name] ?? GOOD_PASSWORD;
  const wrong = await server.http.post('/login').send({ username, password: `x${password}` });
  expect([wrong.status, wrong.body]).toEqual([
    401,
    { msg: 'Bad username or password', code: 'bad_credentials' },
  ]);
  expect(await hashOf(username)).toBe(HASHES[name]);
  const { jwt, refresh_token: refreshToken } = await server.login(username, password);
  const renewed = await hashOf(username);
  // Costs above the setting of this server stay.
  if (/^bcrypt (2|Django|with)/.test(name)) expect(renewed).toBe(HASHES[name]);
  else expect(renewed).toMatch(name === 'long' ? /^sha384\$\$2b\$04\$/ : /^\$2b\$04\$/);
  await server.login(username, password);
  expect(await hashOf(username)).toBe(renewed);
  // The first login's session is as good as any.
  await server.get('/protected', `Bearer ${jwt}`).expect(200);
  await server.http.post('/refresh').send({ refresh_token: refreshToken }).expect(200);
});

it('computes no hash of hostile parameters, however it came into the database', async () => {
  await server.register('hostile');
  const key = 'CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc';
  for (const passwordHash of [
    `$argon2id$v=19$m=4194304,t=100,p=1$c29tZXNhbHQ$${key}`,
    `$scrypt$ln=30,r=8,p=1$c29tZXNhbHQ$${key}`,
    `pbkdf2_sha256$99999999$kJ3mYh9sQ2xL$${key}=`,
    '$2b$31$abcdefghijklmnopqrstuuFiPhXf1sVd3pCCRO.uVh34H/qI/ZsuS',
    '!',
    '',
  ]) {
    await server.withDatabase(({ manager }) =>
      manager.update(User, { username: 'hostile' }, { passwordHash }),
    );
    const response = await server.http
      .post('/login')
      .send({ username: 'hostile', password: GOOD_PASSWORD });
    expect([response.status, (response.body as { code: string }).code]).toEqual([
      401,
      'bad_credentials',
    ]);
  }
});

it.each([
  // OpenSSL computes no scrypt of this cost with this block size: it may have been imported before.
  '$scrypt$ln=18,r=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
])(
  'answers a wrong password, not a fault, if a stored hash cannot be verified: %s',
  async (hash) => {
    await server.register('broken');
    await server.withDatabase(({ manager }) =>
      manager.update(User, { username: 'broken' }, { passwordHash: hash }),
    );
    const body = { username: 'broken', password: GOOD_PASSWORD };
    const response = await server.http.post('/login').send(body);
    expect([response.status, response.body]).toEqual([
      401,
      { msg: 'Bad username or password', code: 'bad_credentials' },
    ]);
  },
);

it('verifies the largest hash that it takes over', async () => {
  // Its key is not the password's: what counts is that it is computed, in a thread's memory.
  const passwordHash =
    '$argon2id$v=19$m=262144,t=1,p=4$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc';
  await server.register('largest');
  await server.withDatabase(({ manager }) =>
    manager.update(User, { username: 'largest' }, { passwordHash }),
  );
  const body = { username: 'largest', password: GOOD_PASSWORD };
  await server.http.post('/login').send(body).expect(401);
});
