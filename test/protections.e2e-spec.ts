import { Body, Controller, Get, Injectable, Module, Post, UseGuards } from '@nestjs/common';
import { z } from 'zod';
import { CurrentUser } from '../src/auth/decorators.js';
import { LimitPasswordAttempts } from '../src/auth/password-attempts.interceptor.js';
import { JwtAuthGuard } from '../src/auth/jwt-auth.guard.js';
import { signedInUser } from '../src/auth/limit-keys.js';
import { Permissions, PermissionsGuard } from '../src/auth/permissions.guard.js';
import { Roles, RolesGuard } from '../src/auth/roles.guard.js';
import { ApiError } from '../src/common/api-error.js';
import { Public } from '../src/common/public.js';
import { requiredString } from '../src/common/validation.js';
import type { Subject } from '../src/keys/access-token.js';
import { SessionsModule } from '../src/sessions/sessions.module.js';
import { type LimitKey, RateLimit } from '../src/throttling/rate-limit.guard.js';
import { UsersModule } from '../src/users/users.module.js';
import { person } from './support/admins.js';
import { type Server, startServer } from './support/server.js';
import { TestCatsModule } from './support/test-cats.module.js';

const limitOf = (name: string) => ({ name, limit: '2/1m', by: signedInUser });
const missing = (() => undefined) as unknown as LimitKey;
const secret = z.object({ email: requiredString('email'), password: requiredString('password') });

/** Decorators in every order in which a project may write them. */
@Controller('limited')
class LimitedController {
  @Get('above')
  @RateLimit(limitOf('above'))
  @UseGuards(JwtAuthGuard)
  above(@CurrentUser() user: Subject) {
    return { user: user.username };
  }

  @Get('below')
  @UseGuards(JwtAuthGuard)
  @RateLimit(limitOf('below'))
  below(@CurrentUser() user: Subject) {
    return { user: user.username };
  }

  @Get('alone')
  @RateLimit(limitOf('alone'))
  alone(@CurrentUser() user: Subject) {
    return { user: user.username };
  }

  @Get('keyless')
  @Public()
  @RateLimit({ name: 'keyless', limit: '2/1m', by: missing })
  keyless() {
    return {};
  }

  @Get('before')
  @Public()
  @RateLimit({ name: 'before', limit: '2/1m', by: (...given) => signedInUser(...given) })
  before() {
    return {};
  }

  @Post('uncounted')
  @Public()
  @LimitPasswordAttempts()
  uncounted(@Body({ schema: secret }) body: z.infer<typeof secret>): never {
    throw new ApiError(body.password === '' ? 'not_found' : 'bad_credentials');
  }
}

@Controller('asking')
@Roles('staff')
class AskingController {
  @Get('twice')
  @Roles('keeper')
  @Roles('admin', 'doctor')
  twice() {
    return {};
  }

  @Get('permissions')
  @Permissions('cats:read')
  @Permissions('cats:write')
  permissions() {
    return {};
  }
}

@Controller('inherited')
@Roles('keeper')
class InheritedController extends AskingController {}

@Controller('unasked')
@Injectable()
class UnaskedController {
  @Get('roles')
  @UseGuards(JwtAuthGuard, RolesGuard)
  roles() {
    return {};
  }

  @Get('permissions')
  @UseGuards(JwtAuthGuard, PermissionsGuard)
  permissions() {
    return {};
  }
}

@Module({
  imports: [UsersModule, SessionsModule],
  controllers: [LimitedController, AskingController, InheritedController, UnaskedController],
})
class ProjectModule {}

let names = 0;
let server: Server;
beforeAll(async () => {
  server = await startServer({ RATE_LIMITS: 'on', LOG_LEVEL: 'error' }, (builder) =>
    builder.overrideModule(TestCatsModule).useModule(ProjectModule),
  );
});
afterAll(() => server.stop());

const failures = () =>
  server.log.map(({ err }) => (err as { message?: string } | undefined)?.message);
const INTERNAL = { msg: 'Something went wrong on our side', code: 'internal_error' };

describe('a limit by the signed-in user', () => {
  it.each(['above', 'below', 'alone'])('holds if it stands %s a guard', async (place) => {
    const users = [await person(server, `ada-${place}`), await person(server, `bea-${place}`)];
    for (const { outcome } of users) {
      const outcomes = await Promise.all(
        Array.from({ length: 16 }, () => outcome('GET', `/limited/${place}`)),
      );
      expect(outcomes.filter((one) => one === 200)).toHaveLength(2);
      expect(outcomes.filter((one) => one === 'too_many_requests')).toHaveLength(14);
    }
    const anonymous = await server.get(`/limited/${place}`);
    expect([anonymous.status, anonymous.body]).toEqual([
      401,
      { msg: 'Missing Authorization Header', code: 'missing_authorization' },
    ]);
  });

  it.each([
    ['keyless', 'The limit "keyless" has no key: its "by" returns undefined'],
    ['before', 'A limit by the signed-in user stands before the guard that signs in'],
  ])('without a key is an error, and the log says so: %s', async (route, message) => {
    const answer = await server.get(`/limited/${route}`);
    expect([answer.status, answer.body]).toEqual([500, INTERNAL]);
    expect(failures()).toContain(message);
  });
});

it('a limit of guesses that does not count is an error once a password is judged', async () => {
  const ask = (body: object) => server.http.post('/limited/uncounted').send(body);
  expect((await ask({ email: 'a@example.org' })).status).toBe(400);
  const answer = await ask({ email: 'a@example.org', password: 'x' });
  expect([answer.status, answer.body]).toEqual([500, INTERNAL]);
  expect(failures()).toContainEqual(
    expect.stringContaining('does not count the passwords of LimitedController.uncounted'),
  );
});

describe('several demands on a route', () => {
  it.each<[string, string[], number | string]>([
    ['twice', ['staff', 'keeper', 'doctor'], 200],
    ['twice', ['staff', 'keeper'], 'forbidden'],
    ['twice', ['staff', 'doctor'], 'forbidden'],
    ['twice', ['keeper', 'doctor'], 'forbidden'],
    ['permissions', ['staff', 'reader'], 'forbidden'],
    ['permissions', ['staff', 'writer'], 'forbidden'],
    ['permissions', ['staff', 'reader', 'writer'], 200],
    ['permissions', ['reader', 'writer'], 'forbidden'],
  ])('%s: roles %j', async (route, roles, outcome) => {
    const boss = await person(server, `boss${++names}`, ['admin']);
    await boss.ask('PUT', '/roles/reader', { permissions: ['cats:read'] });
    await boss.ask('PUT', '/roles/writer', { permissions: ['cats:write'] });
    const user = await person(server, `user${++names}`, roles);
    expect(await user.outcome('GET', `/asking/${route}`)).toBe(outcome);
  });

  it('hold in a class that inherits them, beside its own', async () => {
    const one = await person(server, `user${++names}`, ['keeper', 'doctor']);
    expect(await one.outcome('GET', '/inherited/twice')).toBe('forbidden');
    const other = await person(server, `user${++names}`, ['staff', 'keeper', 'doctor']);
    expect(await other.outcome('GET', '/inherited/twice')).toBe(200);
  });
});

it.each(['roles', 'permissions'])(
  'a guard of %s without a role or permission refuses every request, and the log says so',
  async (route) => {
    const { ask } = await person(server, `user${++names}`, ['admin']);
    expect(await ask('GET', `/unasked/${route}`)).toEqual({ status: 500, body: INTERNAL });
    expect(failures()).toContain(
      `A guard on UnaskedController.${route} names no role or permission to ask for: use @Roles() or @Permissions()`,
    );
  },
);

it('@Permissions() without a name is refused at the start', () => {
  expect(() => Permissions()).toThrow('@Permissions() names no permission');
});
