import { Revocation } from './revocation.entity.js';
import { Session } from './session.entity.js';

/** The tables of this room. The migration `initial` makes them. */
export const sessionsTables = { entities: [Session, Revocation] };
