import { Role } from './role.entity.js';
import { User } from './user.entity.js';
import { UserRole } from './user-role.entity.js';
import { UsernameClaim } from './username-claim.entity.js';

/** The tables of this room. The migration `initial` makes them. */
export const usersTables = { entities: [User, UserRole, Role, UsernameClaim] };
