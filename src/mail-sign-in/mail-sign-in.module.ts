import { Global, Module, type Type } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuthModule } from '../auth/auth.module.js';
import { clock } from '../common/clock.js';
import { DailyCleanup } from '../common/daily-cleanup.js';
import { PersonalData } from '../common/personal-data.js';
import type { Config } from '../config/config.js';
import { Database } from '../database/database.js';
import { KeysModule } from '../keys/keys.module.js';
import { NoticesModule } from '../mail/notices.module.js';
import { MailedLinksModule } from '../mailed-links/mailed-links.module.js';
import { UsersModule } from '../users/users.module.js';
import { MailChallenge } from './mail-challenge.entity.js';
import { MailChallengesService } from './mail-challenges.service.js';
import { exportMailChallenges } from './mail-sign-in-export.js';
import { MailSignInController } from './mail-sign-in.controller.js';
import { MailSignInService } from './mail-sign-in.service.js';
import { isMailSignInOn } from './mail-sign-in.settings.js';

/** The rows of sign-ins by mail. It removes expired ones even if the setting is off by now. */
@Module({})
export class MailSignInModule {
  constructor(
    personalData: PersonalData,
    cleanup: DailyCleanup,
    private readonly database: Database,
  ) {
    personalData.add('mailChallenges', { export: exportMailChallenges });
    cleanup.add('Cleaning sign-ins by mail', () => this.clean());
  }

  /** Deletes expired rows. */
  async clean(): Promise<void> {
    await this.database.deleteAll(MailChallenge, 'expires_at < :now', { now: clock.now() });
  }
}

/** Sign-in by mail; part of the application only with `SIGN_IN_BY_MAIL=on`. */
@Global()
@Module({
  imports: [
    TypeOrmModule.forFeature([MailChallenge]),
    AuthModule,
    KeysModule,
    MailedLinksModule,
    NoticesModule,
    UsersModule,
  ],
  controllers: [MailSignInController],
  providers: [MailChallengesService, MailSignInService],
  exports: [MailSignInService],
})
export class MailSignInRoutesModule {}

/** Returns the module of the routes if the setting is on. */
export const mailSignInRoutes = (config: Config): Type[] =>
  isMailSignInOn(config) ? [MailSignInRoutesModule] : [];
