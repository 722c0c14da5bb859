import { randomUUID } from 'node:crypto';
import { Body, Controller, Get, Headers, Module, Post, UseGuards } from '@nestjs/common';
import { AuthGuard } from '@nestjs/passport';
import type { EntityManager } from 'typeorm';
import { z } from 'zod';
import { CurrentUser, JwtPayload } from '../../src/auth/decorators.js';
import { AllowBeforeEnrolment } from '../../src/auth/enrolment.js';
import { JwtAuthGuard, OptionalJwtAuthGuard } from '../../src/auth/jwt-auth.guard.js';
import { SignedInUserService } from '../../src/auth/signed-in-user.service.js';
import { StepUp } from '../../src/auth/step-up.guard.js';
import { ApiError } from '../../src/common/api-error.js';
import { Public } from '../../src/common/public.js';
import { Database } from '../../src/database/database.js';
import { FactorKinds } from '../../src/factors/factor-kinds.js';
import { FactorsService } from '../../src/factors/factors.service.js';
import type { AccessTokenClaims, Subject } from '../../src/keys/access-token.js';
import type { Factor } from '../../src/users/second-factors.js';

/** The code that every test factor takes. */
export const TEST_CODE = '246810';

const nameSchema = z.object({ name: z.string() });

/** A kind of factor for tests, as a project could write its own. It keeps the factors in memory. */
class TestFactors {
  readonly kind = 'test';
  private readonly ofUsers = new Map<string, Factor[]>();

  constructor(kinds: FactorKinds) {
    kinds.add(this, {
      name: 'test',
      field: 'code',
      isAvailable: (_manager, userId) => Promise.resolve(this.of(userId).length > 0),
      prove: (_manager, _user, code) => {
        if (code !== TEST_CODE) throw new ApiError('code_invalid');
        return Promise.resolve(['otp']);
      },
    });
  }

  add(userId: string, name: string): void {
    const factor = {
      id: randomUUID(),
      kind: 'test',
      name,
      createdAt: new Date(),
      lastUsedAt: null,
    };
    this.ofUsers.set(userId, [...this.of(userId), factor]);
  }

  list = (_manager: EntityManager, userId: string) => Promise.resolve(this.of(userId));

  rename = (_manager: EntityManager, userId: string, id: string, name: string) => {
    const found = this.of(userId).find((factor) => factor.id === id);
    if (found) found.name = name;
    return Promise.resolve(found);
  };

  delete = (_manager: EntityManager, userId: string, id?: string) => {
    const gone = this.of(userId).filter((factor) => id === undefined || factor.id === id);
    this.ofUsers.set(
      userId,
      this.of(userId).filter((factor) => !gone.includes(factor)),
    );
    return Promise.resolve(gone);
  };

  private of(userId: string): Factor[] {
    return this.ofUsers.get(userId) ?? [];
  }
}

/** Enrols test factors. */
@Controller('test-factors')
@UseGuards(JwtAuthGuard)
export class TestFactorsController {
  private readonly kind: TestFactors;

  constructor(
    kinds: FactorKinds,
    private readonly factors: FactorsService,
    private readonly users: SignedInUserService,
    private readonly database: Database,
  ) {
    this.kind = new TestFactors(kinds);
  }

  @Post()
  @AllowBeforeEnrolment()
  @StepUp()
  async enrol(
    @CurrentUser() { id: userId }: Subject,
    @JwtPayload() claims: AccessTokenClaims,
    @Body({ schema: nameSchema }) { name }: { name: string },
    @Headers('accept-language') locale?: string,
  ) {
    return this.database.transaction(async (manager) => {
      const user = await this.users.lock(manager, userId);
      this.kind.add(userId, name);
      const request = { userId, claims, locale };
      const proof = { kind: 'test', name, amr: ['otp'] };
      const codes = await this.factors.enrolled(manager, user, request, proof);
      return { recovery_codes: codes ?? [] };
    });
  }
}

/** Routes of a project's own, behind each guard. */
@Controller('test-vault')
export class TestVaultController {
  @Get('guarded')
  @UseGuards(JwtAuthGuard)
  guarded(@CurrentUser() { roles }: Subject) {
    return { roles };
  }

  @Get('by-name')
  @UseGuards(AuthGuard('jwt'))
  byName() {
    return { ok: true };
  }

  @Public()
  @Get('optional')
  @UseGuards(OptionalJwtAuthGuard)
  optional(@CurrentUser() user?: Subject) {
    return { user: user?.username ?? null };
  }

  @Get('recent')
  @StepUp({ maxAge: 60 })
  recent() {
    return { ok: true };
  }

  @Get('strong')
  @StepUp({ aal: 2 })
  strong() {
    return { ok: true };
  }
}

@Module({ controllers: [TestFactorsController, TestVaultController] })
export class TestFactorModule {}
