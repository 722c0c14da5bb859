import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { PersonalData } from '../common/personal-data.js';
import { exportMails } from './mail-export.js';
import { KeysModule } from '../keys/keys.module.js';
import { AddressLossMail } from './address-loss-mail.js';
import { MailSeal } from './mail-seal.js';
import { MailTemplates } from './mail-templates.js';
import { MailTransport } from './mail-transport.js';
import { MailWorker } from './mail-worker.js';
import { MailService } from './mail.service.js';
import { SentMails } from './sent-mails.js';
import { MailOutbox } from './mail-outbox.js';
import { MailItem } from './mail-item.entity.js';

/** Stores, renders and sends mail. */
@Module({
  imports: [TypeOrmModule.forFeature([MailItem]), KeysModule],
  providers: [
    AddressLossMail,
    MailSeal,
    MailService,
    MailTemplates,
    MailTransport,
    MailWorker,
    MailOutbox,
    SentMails,
  ],
  exports: [MailService, SentMails],
})
export class MailModule {
  constructor(personalData: PersonalData, mail: MailService) {
    personalData.add('mails', {
      export: (manager, userId) => exportMails(manager, userId, mail.leftOutOfExport),
    });
  }
}
