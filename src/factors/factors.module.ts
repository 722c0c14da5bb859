import { Global, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuthModule } from '../auth/auth.module.js';
import { PersonalData } from '../common/personal-data.js';
import { KeysModule } from '../keys/keys.module.js';
import { SessionsModule } from '../sessions/sessions.module.js';
import { UsersModule } from '../users/users.module.js';
import { ChallengesService } from './challenges.service.js';
import { FactorKinds } from './factor-kinds.js';
import { exportChallenges, exportRecoveryCodes } from './factors-export.js';
import { FactorsService } from './factors.service.js';
import { OwnFactorsController } from './own-factors.controller.js';
import { ProofsService } from './proofs.service.js';
import { RecoveryCode } from './recovery-code.entity.js';
import { RecoveryCodesService } from './recovery-codes.service.js';
import { SecondFactorController } from './second-factor.controller.js';
import { SecondFactorService } from './second-factor.service.js';
import { SignInChallenge } from './sign-in-challenge.entity.js';

/** Second factors of every kind, recovery codes, and the challenges of sign-ins. Kinds register themselves. */
@Global()
@Module({
  imports: [
    TypeOrmModule.forFeature([SignInChallenge, RecoveryCode]),
    AuthModule,
    KeysModule,
    SessionsModule,
    UsersModule,
  ],
  controllers: [SecondFactorController, OwnFactorsController],
  providers: [
    ChallengesService,
    FactorKinds,
    FactorsService,
    ProofsService,
    RecoveryCodesService,
    SecondFactorService,
  ],
  exports: [ChallengesService, FactorKinds, FactorsService, ProofsService, SecondFactorService],
})
export class FactorsModule {
  constructor(personalData: PersonalData) {
    personalData.add('recoveryCodes', { export: exportRecoveryCodes });
    personalData.add('signInChallenges', { export: exportChallenges });
  }
}
