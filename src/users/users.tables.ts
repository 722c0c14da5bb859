import type { Tables } from '../database/tables.js';
import { checkIdentifier } from './identifier-check.js';
import { Role } from './role.entity.js';
import { User } from './user.entity.js';
import { UserRole } from './user-role.entity.js';
import { UsernameClaim } from './username-claim.entity.js';

/** The tables of this room, which the migration `initial` makes, and the doctor's check of their rows. */
export const usersTables: Partial<Tables> = {
  entities: [User, UserRole, Role, UsernameClaim],
  checks: [checkIdentifier],
};
