import { Controller, Get, Module } from '@nestjs/common';
import { StepUp } from '../src/auth/step-up.guard.js';
import { Navigation } from '../src/pages/navigation.js';
import { PublicPages, SignedInPages } from '../src/pages/page.decorators.js';
import { SignInWays } from '../src/pages/sign-in-ways.js';
import { ageSessions, signedInBrowser } from './support/account-pages.js';
import { browser, textOf } from './support/pages.js';
import { type Server, startServer } from './support/server.js';

@StepUp()
@SignedInPages()
@Controller('test-vault/above')
class VaultAboveController {
  @Get()
  show(): string {
    return 'gold';
  }
}

@SignedInPages()
@StepUp()
@Controller('test-vault/below')
class VaultBelowController {
  @Get()
  show(): string {
    return 'gold';
  }
}

/** A way to sign in, as a capability adds it. */
@PublicPages()
@Controller('test-way')
class TestWayController {
  constructor(ways: SignInWays, navigation: Navigation) {
    const label = { en: 'Sign in by Test', de: 'Mit Test anmelden' };
    ways.add({ name: 'test', path: '/test-way', route: '/test-way/callback', label });
    navigation.add({ path: '/test-vault', label: { en: 'Vault', de: 'Tresor' } });
  }
}

@Module({ controllers: [VaultAboveController, VaultBelowController, TestWayController] })
class TestPagesModule {}

let server: Server;
beforeAll(async () => {
  server = await startServer({}, undefined, [TestPagesModule]);
});
afterAll(() => server.stop());

describe('@StepUp() on a class with @SignedInPages()', () => {
  it.each(['/test-vault/above', '/test-vault/below'])(
    'asks for a recent sign-in, in either order: %s',
    async (path) => {
      const { id, visitor } = await signedInBrowser(server);
      expect(await visitor.get(path)).toMatchObject({ status: 200, path, text: 'gold' });
      await ageSessions(server, id);
      const asked = await visitor.get(path);
      expect([asked.status, textOf(asked.text)]).toEqual([
        401,
        expect.stringContaining('Confirm that it is you'),
      ]);
      const stranger = await browser(server).get(path);
      expect(stranger.path).toBe(`/sign-in?return_to=${encodeURIComponent(path)}`);
    },
  );
});

describe('a way to sign in that a capability adds', () => {
  it('has its button on the page, which carries the way back, and comes first if it was used last', async () => {
    const link = /<a class="button (\w+)" href="\/test-way\?return_to=%2Faccount%2Fprofile">/;
    const visitor = browser(server);
    const path = '/sign-in?return_to=/account/profile';
    const { text } = await visitor.get(path);
    expect([link.exec(text)?.[1], textOf(text)]).toEqual([
      'quiet',
      expect.stringContaining('Sign in by Test'),
    ]);
    expect(text.indexOf('/test-way')).toBeGreaterThan(text.indexOf('name="password"'));
    visitor.cookies.set('latchkey_way', 'test');
    const again = await visitor.get(path);
    expect(link.exec(again.text)?.[1]).toBe('main');
    expect(again.text.indexOf('/test-way')).toBeLessThan(again.text.indexOf('name="password"'));
  });
});
