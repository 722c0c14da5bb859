import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { tokensSchema, type TokensView } from '../auth/auth.schemas.js';
import { CurrentRequest, CurrentUser } from '../auth/decorators.js';
import { AllowBeforeEnrolment } from '../auth/enrolment.js';
import { LimitPasswordAttempts } from '../auth/password-attempts.interceptor.js';
import { OwnAccount } from '../auth/impersonation.guard.js';
import { refuses, refusesOverload } from '../auth/openapi.js';
import type { OwnRequest } from '../auth/signed-in-user.service.js';
import { StepUp } from '../auth/step-up.guard.js';
import { ApiOperation, ApiResponse, ApiTags } from '../common/api-decorators.js';
import { ClientSignal } from '../common/client-signal.js';
import type { Subject } from '../keys/access-token.js';
import { RateLimit } from '../throttling/rate-limit.guard.js';
import type { Factor } from '../users/second-factors.js';
import {
  factorSchema,
  factorsSchema,
  type FactorsView,
  type FactorView,
  recoveryCodesSchema,
  type RecoveryCodesView,
  type RenameBody,
  renameSchema,
  type StepUpBody,
  stepUpSchema,
} from './factors.schemas.js';
import { FACTORS_LIMIT, RECOVERY_CODES_LIMIT } from './factors.limits.js';
import { FactorsService } from './factors.service.js';
import { SecondFactorService } from './second-factor.service.js';

/** The signed-in user's own second factors. */
@ApiTags('factors')
@Controller('me')
@OwnAccount()
@AllowBeforeEnrolment()
export class OwnFactorsController {
  constructor(
    private readonly factors: FactorsService,
    private readonly secondFactors: SecondFactorService,
  ) {}

  @Get('factors')
  @ApiOperation({ summary: "The signed-in user's second factors" })
  @ApiResponse({ status: 200, description: 'Factors', standardSchema: factorsSchema })
  async list(@CurrentUser() { id }: Subject): Promise<FactorsView> {
    const { factors, recoveryCodesLeft } = await this.factors.list(id);
    return {
      factors: factors.map(viewOf),
      recovery_codes_left: recoveryCodesLeft,
    };
  }

  @Patch('factors/:id')
  @StepUp()
  @RateLimit(FACTORS_LIMIT)
  @ApiOperation({ summary: 'Rename a second factor' })
  @ApiResponse({ status: 200, description: 'Renamed', standardSchema: factorSchema })
  @refuses(404, 'The user has no such factor')
  async rename(
    @CurrentRequest() own: OwnRequest,
    @Param('id') id: string,
    @Body({ schema: renameSchema }) { name }: RenameBody,
  ): Promise<FactorView> {
    return viewOf(await this.factors.renameOwn(own, id, name));
  }

  @Delete('factors/:id')
  @StepUp()
  @RateLimit(FACTORS_LIMIT)
  @HttpCode(204)
  @ApiOperation({ summary: 'Remove a second factor; the last one takes the recovery codes along' })
  @ApiResponse({ status: 204, description: 'Deleted' })
  @refuses(404, 'The user has no such factor')
  @refuses(409, 'It is the last way to sign in')
  async remove(@CurrentRequest() own: OwnRequest, @Param('id') id: string): Promise<void> {
    await this.factors.removeOwn(own, id);
  }

  @Post('recovery-codes')
  @StepUp()
  @RateLimit(RECOVERY_CODES_LIMIT)
  @ApiOperation({ summary: 'Make new recovery codes, which end the old ones' })
  @ApiResponse({ status: 201, description: 'Shown once', standardSchema: recoveryCodesSchema })
  @refuses(404, 'The user has no second factor')
  async renewRecoveryCodes(@CurrentRequest() own: OwnRequest): Promise<RecoveryCodesView> {
    return { recovery_codes: await this.factors.renewRecoveryCodes(own) };
  }

  @Post('step-up')
  @LimitPasswordAttempts()
  @HttpCode(200)
  @ApiOperation({ summary: 'Prove a credential again, to raise the present session' })
  @ApiResponse({
    status: 200,
    description: 'An access token that expires with the present one; the refresh token stays',
    standardSchema: tokensSchema,
  })
  @refuses(400, 'A parameter is missing, or the code is wrong')
  @refuses(403, 'The current password is wrong, or the token acts on behalf of another user')
  @refusesOverload()
  async stepUp(
    @CurrentRequest() own: OwnRequest,
    @Body({ schema: stepUpSchema }) body: StepUpBody,
    @Req() request: FastifyRequest,
    @ClientSignal() signal: AbortSignal,
  ): Promise<TokensView> {
    return this.secondFactors.stepUp(own, body, request, { signal });
  }
}

/** Returns a factor in the form for its user. */
function viewOf({ id, kind, name, createdAt, lastUsedAt }: Factor): FactorView {
  return {
    id,
    kind,
    name,
    created_at: createdAt.toISOString(),
    last_used_at: lastUsedAt?.toISOString() ?? null,
  };
}
