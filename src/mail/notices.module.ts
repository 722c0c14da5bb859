import { Module } from '@nestjs/common';
import { MailModule } from './mail.module.js';
import { Notices } from './notices.js';

/** Mails about changes to an account. */
@Module({ imports: [MailModule], providers: [Notices], exports: [Notices] })
export class NoticesModule {}
