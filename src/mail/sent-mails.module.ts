import { Module } from '@nestjs/common';
import { MailModule } from './mail.module.js';
import { SentMailsController } from './sent-mails.controller.js';

/** The page of sent mails; part of the application only if `config.mail.shown` is set. */
@Module({ imports: [MailModule], controllers: [SentMailsController] })
export class SentMailsModule {}
