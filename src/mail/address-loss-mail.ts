import { Injectable } from '@nestjs/common';
import { EventsService } from '../common/events.service.js';
import { isNameless } from '../users/nameless.js';
import { MailService } from './mail.service.js';

/** Mails a notice to the mailbox whose address an unverified account has lost to another one. */
@Injectable()
export class AddressLossMail {
  constructor(mail: MailService, events: EventsService) {
    events.on('user.address_lost', (manager, { user }) =>
      mail.enqueue(manager, {
        to: user.email ?? '',
        userId: user.id,
        template: 'address-lost',
        values: { hasUsername: isNameless(user) ? '' : 'yes' },
        locale: user.locale,
      }),
    );
  }
}
