import { Body, Controller, HttpCode, Param, Post } from '@nestjs/common';
import { CurrentRequest } from '../auth/decorators.js';
import { AllowBeforeEnrolment } from '../auth/enrolment.js';
import { OwnAccount } from '../auth/impersonation.guard.js';
import { refuses } from '../auth/openapi.js';
import type { OwnRequest } from '../auth/signed-in-user.service.js';
import { StepUp } from '../auth/step-up.guard.js';
import { ApiOperation, ApiResponse, ApiTags } from '../common/api-decorators.js';
import { RateLimit } from '../throttling/rate-limit.guard.js';
import { qrCodeOf } from './qr-code.js';
import { CONFIRM_LIMIT, ENROL_LIMIT } from './totp.limits.js';
import {
  type ConfirmedView,
  confirmedSchema,
  type ConfirmTotpBody,
  confirmTotpSchema,
  type EnrolmentView,
  enrolmentSchema,
  type EnrolTotpBody,
  enrolTotpSchema,
} from './totp.schemas.js';
import { TotpService } from './totp.service.js';

/** The enrolment of authenticator apps by their users. */
@ApiTags('factors')
@Controller('me/factors/totp')
@OwnAccount()
@AllowBeforeEnrolment()
@StepUp()
export class TotpController {
  constructor(private readonly totp: TotpService) {}

  @Post()
  @RateLimit(ENROL_LIMIT)
  @ApiOperation({ summary: 'Make the secret of an authenticator app, which a code then confirms' })
  @ApiResponse({ status: 201, description: 'Shown once', standardSchema: enrolmentSchema })
  @refuses(409, 'The user has ten authenticator apps')
  async start(
    @CurrentRequest() own: OwnRequest,
    @Body({ schema: enrolTotpSchema }) { name }: EnrolTotpBody,
  ): Promise<EnrolmentView> {
    const enrolment = await this.totp.start(own, name ?? undefined);
    return { ...enrolment, qr: qrCodeOf(enrolment.uri) };
  }

  @Post(':id/confirm')
  @RateLimit(CONFIRM_LIMIT)
  @HttpCode(200)
  @ApiOperation({ summary: 'Confirm an authenticator app by its first code' })
  @ApiResponse({
    status: 200,
    description: 'Confirmed; with recovery codes if it is the first factor',
    standardSchema: confirmedSchema,
  })
  @refuses(400, 'The code is missing or wrong')
  @refuses(404, 'The enrolment does not exist or has expired')
  @refuses(409, 'The user has ten authenticator apps')
  async confirm(
    @CurrentRequest() own: OwnRequest,
    @Param('id') id: string,
    @Body({ schema: confirmTotpSchema }) { code }: ConfirmTotpBody,
  ): Promise<ConfirmedView> {
    const codes = await this.totp.confirm(own, id, code);
    return codes ? { recovery_codes: codes } : {};
  }
}
