import { User } from '../src/users/user.entity.js';
import { EXISTS, RESET, VERIFY } from './support/addresses.js';
import { loginOf, member, newAddress, register } from './support/address-registrations.js';
import { bearer } from './support/http.js';
import { mailAbout } from './support/mailbox.js';
import { emptied } from './support/outbox.js';
import { GOOD_PASSWORD, type Server, startServer } from './support/server.js';

/** With `IDENTIFIER=email`, anybody can register with an address of somebody else. */
const AGAIN = 'Finish your registration';
const OTHER_PASSWORD = 'another good passphrase';

let server: Server;
beforeAll(async () => {
  server = await startServer({ IDENTIFIER: 'email' });
});
afterAll(() => server.stop());

describe('an address that a stranger registered first', () => {
  /** A stranger registers the address, and then its owner does. */
  async function contested() {
    const email = newAddress();
    await register(server, email, OTHER_PASSWORD).expect(202);
    const stranger = await mailAbout(server, email, VERIFY);
    await register(server, email).expect(202);
    const owner = await mailAbout(server, email, AGAIN);
    return { email, stranger, owner };
  }

  it('belongs to the reader of the mailbox, who sets the password', async () => {
    const { email, owner } = await contested();
    expect(await loginOf(server, email, OTHER_PASSWORD)).toBe('bad_credentials');
    const { token } = owner;
    const password = 'a third good passphrase';
    await server.http.post('/password/reset').send({ token, password }).expect(204);
    const { jwt } = await server.login(email, password);
    expect((await server.get('/me', bearer(jwt))).body).toMatchObject({
      username: email,
      emailVerified: true,
      displayName: null,
    });
    expect(await loginOf(server, email, OTHER_PASSWORD)).toBe('bad_credentials');
    expect(await loginOf(server, email)).toBe('bad_credentials');
    const users = server.withDatabase((db) => db.getRepository(User).countBy({ email }));
    expect(await users).toBe(1);
  });

  it('is not opened to the stranger by a click on the mail of the stranger’s registration', async () => {
    const { email, stranger } = await contested();
    await server.http.post('/email/verify').send({ token: stranger.token }).expect(204);
    for (const password of [OTHER_PASSWORD, GOOD_PASSWORD]) {
      expect(await loginOf(server, email, password)).toBe('bad_credentials');
    }
    await server.http.post('/password/forgot').send({ email }).expect(202);
    const { token } = await mailAbout(server, email, RESET);
    await server.http.post('/password/reset').send({ token, password: GOOD_PASSWORD }).expect(204);
    expect(await loginOf(server, email)).toBe(200);
  });

  it('stays closed to the stranger who registers again, or asks for the mail again', async () => {
    const { email } = await contested();
    await register(server, email, OTHER_PASSWORD).expect(202);
    await server.http.post('/email/verification').send({ email }).expect(202);
    await emptied(server);
    const { token } = await mailAbout(server, email, VERIFY);
    await server.http.post('/email/verify').send({ token }).expect(204);
    expect(await loginOf(server, email, OTHER_PASSWORD)).toBe('bad_credentials');
  });

  it('stays closed at once, even if the outbox is slow', async () => {
    const email = newAddress();
    await register(server, email, OTHER_PASSWORD).expect(202);
    const { token } = await mailAbout(server, email, VERIFY);
    await register(server, email).expect(202);
    await server.http.post('/email/verify').send({ token }).expect(204);
    expect(await loginOf(server, email, OTHER_PASSWORD)).toBe('bad_credentials');
  });

  it('gives its owner no more than a mail once it is verified', async () => {
    const { email } = await member(server);
    await register(server, email, OTHER_PASSWORD).expect(202);
    await mailAbout(server, email, EXISTS);
    expect(await loginOf(server, email)).toBe(200);
    expect(await loginOf(server, email, OTHER_PASSWORD)).toBe('bad_credentials');
  });
});
