import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { KeysModule } from '../keys/keys.module.js';
import { MailSeal } from './mail-seal.js';
import { MailTemplates } from './mail-templates.js';
import { MailTransport } from './mail-transport.js';
import { MailWorker } from './mail-worker.js';
import { Mail } from './mail.service.js';
import { SentMails } from './sent-mails.js';
import { Outbox } from './outbox.js';
import { OutboxItem } from './outbox-item.entity.js';

@Module({
  imports: [TypeOrmModule.forFeature([OutboxItem]), KeysModule],
  providers: [Mail, MailSeal, MailTemplates, MailTransport, MailWorker, Outbox, SentMails],
  exports: [Mail, SentMails],
})
export class MailModule {}
