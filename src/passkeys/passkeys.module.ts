import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuditModule } from '../audit/audit.module.js';
import { AuthModule } from '../auth/auth.module.js';
import { PersonalData } from '../common/personal-data.js';
import { FactorsModule } from '../factors/factors.module.js';
import { KeysModule } from '../keys/keys.module.js';
import { NoticesModule } from '../mail/notices.module.js';
import { OwnPasskeysController } from './own-passkeys.controller.js';
import { PasskeyProofsService } from './passkey-proofs.service.js';
import { PasskeySignInController } from './passkey-sign-in.controller.js';
import { PasskeySignInService } from './passkey-sign-in.service.js';
import { Passkey } from './passkey.entity.js';
import { exportCeremonies, exportHandle, exportPasskeys } from './passkeys-export.js';
import { PasskeysService } from './passkeys.service.js';
import { RelatedOriginsController } from './related-origins.controller.js';
import { RelyingParty } from './relying-party.js';
import { WebauthnChallenge } from './webauthn-challenge.entity.js';
import { WebauthnChallengesService } from './webauthn-challenges.service.js';
import { WebauthnHandle } from './webauthn-handle.entity.js';

/** Passkeys: sign-in without a name or a password, and a second factor. */
@Module({
  imports: [
    TypeOrmModule.forFeature([Passkey, WebauthnHandle, WebauthnChallenge]),
    AuditModule,
    AuthModule,
    FactorsModule,
    KeysModule,
    NoticesModule,
  ],
  controllers: [OwnPasskeysController, PasskeySignInController, RelatedOriginsController],
  providers: [
    PasskeyProofsService,
    PasskeySignInService,
    PasskeysService,
    RelyingParty,
    WebauthnChallengesService,
  ],
  exports: [PasskeySignInService, PasskeysService, RelyingParty],
})
export class PasskeysModule {
  constructor(personalData: PersonalData) {
    personalData.add('passkeys', { export: exportPasskeys });
    personalData.add('passkeyHandle', { export: exportHandle });
    personalData.add('passkeyCeremonies', { export: exportCeremonies });
  }
}
