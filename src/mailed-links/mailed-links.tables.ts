import { CodeMiss } from './code-miss.entity.js';
import { OneTimeToken } from './one-time-token.entity.js';

/** The tables of this room. The migration `initial` makes them. */
export const mailedLinksTables = { entities: [OneTimeToken, CodeMiss] };
