import { PasswordCost } from './password-cost.entity.js';

/** The tables of this room. The migration `initial` makes them. */
export const passwordsTables = { entities: [PasswordCost] };
