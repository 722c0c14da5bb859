import type { Tables } from '../database/tables.js';
import { BrowserSessions1764100000010 } from './1764100000010-browser-sessions.js';
import { BrowserSession } from './browser-session.entity.js';

/** The table of this room, and the migration that makes it. */
export const pagesTables: Tables = {
  entities: [BrowserSession],
  migrations: [BrowserSessions1764100000010],
};
