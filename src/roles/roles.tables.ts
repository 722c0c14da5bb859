import { Role } from './role.entity.js';

/** The tables of this room. The migration `initial` makes them. */
export const rolesTables = { entities: [Role] };
