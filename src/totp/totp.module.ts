import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuthModule } from '../auth/auth.module.js';
import { PersonalData } from '../common/personal-data.js';
import { FactorsModule } from '../factors/factors.module.js';
import { KeysModule } from '../keys/keys.module.js';
import { exportApps } from './totp-export.js';
import { TotpFactor } from './totp-factor.entity.js';
import { TotpFactors } from './totp-factors.js';
import { TotpResealing } from './totp-resealing.js';
import { TotpSecrets } from './totp-secrets.js';
import { TotpController } from './totp.controller.js';
import { TotpService } from './totp.service.js';

/** Authenticator apps as second factors (RFC 6238). */
@Module({
  imports: [TypeOrmModule.forFeature([TotpFactor]), AuthModule, FactorsModule, KeysModule],
  controllers: [TotpController],
  providers: [TotpFactors, TotpResealing, TotpSecrets, TotpService],
  exports: [TotpService],
})
export class TotpModule {
  constructor(personalData: PersonalData) {
    personalData.add('authenticatorApps', { export: exportApps });
  }
}
