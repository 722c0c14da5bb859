import { MailItem } from './mail-item.entity.js';

/** The tables of this room. The migration `initial` makes them. */
export const mailTables = { entities: [MailItem] };
