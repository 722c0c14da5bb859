import {
  Body,
  type CanActivate,
  Controller,
  Get,
  Injectable,
  Module,
  Post,
  UseGuards,
} from '@nestjs/common';
import { AuthGuard } from '@nestjs/passport';
import { z } from 'zod';
import { AuthModule } from '../../src/auth/auth.module.js';
import { CurrentUser, JwtPayload } from '../../src/auth/decorators.js';
import { JwtAuthGuard, OptionalJwtAuthGuard } from '../../src/auth/jwt-auth.guard.js';
import { signedInUser } from '../../src/auth/limit-keys.js';
import { Roles } from '../../src/auth/roles.guard.js';
import type { AccessTokenClaims, Subject } from '../../src/keys/access-token.js';
import { Public } from '../../src/common/public.js';
import { requiredString } from '../../src/common/validation.js';
import { RateLimit } from '../../src/throttling/rate-limit.guard.js';

const catSchema = z.object({ name: requiredString('name').max(20) });

/** A guarded controller in a module of its own, as the README tells a user to write it. */
@Controller('test-cats')
@UseGuards(JwtAuthGuard)
export class TestCatsController {
  @Get()
  @RateLimit({ name: 'test-cats', limit: '3/1m', by: signedInUser })
  list(@CurrentUser() user: Subject, @JwtPayload() payload: AccessTokenClaims) {
    return { owner: user, cats: ['Tom'], plan: payload.plan ?? null };
  }

  @Post()
  adopt(@Body({ schema: catSchema }) { name }: { name: string }, @CurrentUser() user: Subject) {
    return { owner: user.username, name };
  }

  @Post('feed')
  @Roles('admin', 'keeper')
  feed() {
    return { fed: true };
  }
}

@Public()
@Controller('test-visitors')
@UseGuards(OptionalJwtAuthGuard)
export class TestVisitorsController {
  @Get()
  hello(@CurrentUser() user?: Subject) {
    return { visitor: user?.username ?? 'anonymous' };
  }

  @Get('crash')
  crash(): never {
    throw new Error('the cat ate password=hunter2-canary');
  }
}

/** A project's own guard, which two requests leave at the same moment. */
@Injectable()
class TogetherGuard implements CanActivate {
  private waiting: ((admitted: true) => void)[] = [];

  canActivate(): Promise<boolean> {
    return new Promise((admit) => {
      this.waiting.push(admit);
      if (this.waiting.length < 2) return;
      for (const go of this.waiting.splice(0)) go(true);
    });
  }
}

@Controller('test-pairs')
@UseGuards(TogetherGuard, JwtAuthGuard)
export class TestPairsController {
  @Get()
  whoami(@CurrentUser() user: Subject) {
    return user.username;
  }
}

/** Guarded by passport's own guard, as NestJS's documentation writes it. */
@Controller('test-by-name')
@UseGuards(AuthGuard('jwt'))
export class TestByNameController {
  @Get()
  hello() {
    return 'hello';
  }
}

@Module({
  imports: [AuthModule],
  controllers: [
    TestCatsController,
    TestVisitorsController,
    TestPairsController,
    TestByNameController,
  ],
})
export class TestCatsModule {}
