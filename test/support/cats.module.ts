import { Controller, Get, Module, Post, UseGuards } from '@nestjs/common';
import { AuthModule } from '../../src/auth/auth.module.js';
import { CurrentUser, JwtPayload } from '../../src/auth/decorators.js';
import { JwtAuthGuard, OptionalJwtAuthGuard } from '../../src/auth/jwt-auth.guard.js';
import { signedInUser } from '../../src/auth/limit-keys.js';
import { Roles } from '../../src/auth/roles.guard.js';
import type { AccessTokenClaims, Subject } from '../../src/keys/access-token.js';
import { RateLimit } from '../../src/throttling/rate-limit.guard.js';

/** A guarded controller in a module of its own, as the README tells a user to write it. */
@Controller('cats')
@UseGuards(JwtAuthGuard)
export class CatsController {
  @Get()
  @RateLimit({ name: 'cats', limit: '3/1m', by: signedInUser })
  list(@CurrentUser() user: Subject, @JwtPayload() payload: AccessTokenClaims) {
    return { owner: user, cats: ['Tom'], plan: payload.plan ?? null };
  }

  @Post('feed')
  @Roles('admin', 'keeper')
  feed() {
    return { fed: true };
  }
}

@Controller('visitors')
@UseGuards(OptionalJwtAuthGuard)
export class VisitorsController {
  @Get()
  hello(@CurrentUser() user?: Subject) {
    return { visitor: user?.username ?? 'anonymous' };
  }

  @Get('crash')
  crash(): never {
    throw new Error('the cat ate password=hunter2-canary');
  }
}

@Module({ imports: [AuthModule], controllers: [CatsController, VisitorsController] })
export class CatsModule {}
