import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { PersonalData } from '../common/personal-data.js';
import { exportLinks } from './link-export.js';
import { KeysModule } from '../keys/keys.module.js';
import { MailModule } from '../mail/mail.module.js';
import { UsersModule } from '../users/users.module.js';
import { CodeAttempts } from './code-attempts.js';
import { MailedLinks } from './mailed-links.js';
import { OneTimeCodes } from './one-time-codes.js';
import { OneTimeToken } from './one-time-token.entity.js';
import { OneTimeTokensService } from './one-time-tokens.service.js';
import { PagesController } from './pages.controller.js';
import { Pages } from './pages.js';

/** Links and codes that are mailed and can be used once, and the pages that the links lead to. */
@Module({
  imports: [TypeOrmModule.forFeature([OneTimeToken]), KeysModule, MailModule, UsersModule],
  controllers: [PagesController],
  providers: [CodeAttempts, MailedLinks, OneTimeCodes, OneTimeTokensService, Pages],
  exports: [MailedLinks],
})
export class MailedLinksModule {
  constructor(personalData: PersonalData) {
    personalData.add('links', { export: exportLinks });
  }
}
