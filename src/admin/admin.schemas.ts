import { z } from 'zod';
import { emailSchema, registerSchema, userSchema } from '../auth/auth.schemas.js';
import { clock } from '../common/clock.js';
import { isOneLine } from '../common/printable.js';
import { storableText } from '../common/validation.js';
import { isRoleName, MAX_ROLES, ROLE_NAME_RULE } from '../users/role-name.js';
import { isDisabled, type User } from '../users/user.entity.js';
import type { EnrolledFactors } from '../users/second-factors.js';
import { MFA_STATES, USER_STATES } from '../users/user-search.service.js';
import { pageParameters, timeParameter } from './list.schemas.js';

const roleName = z
  .string({ error: 'A role has to be a string' })
  .refine(isRoleName, { error: ROLE_NAME_RULE });

const roleNames = z
  .array(roleName, { error: 'The roles have to be a list' })
  .max(MAX_ROLES, { error: `A user has at most ${MAX_ROLES} roles` });

const truth = (name: string) => z.boolean({ error: `The ${name} has to be true or false` });

/** Query of `GET /users`. */
export const listUsersSchema = z.object({
  q: storableText('q', 254).optional().describe('How the username or e-mail address begins'),
  role: roleName.optional(),
  state: z.enum(USER_STATES, { error: `The state is one of ${USER_STATES.join(', ')}` }).optional(),
  mfa: z
    .enum(MFA_STATES, { error: `The mfa is one of ${MFA_STATES.join(', ')}` })
    .optional()
    .describe('Whether the user has a second factor'),
  created_after: timeParameter('created_after').optional().describe('This time or later'),
  created_before: timeParameter('created_before').optional(),
  ...pageParameters,
});

/** Body of `POST /users`. It has no password, which only its user should know. */
export const createUserSchema = z
  .object({
    username: registerSchema.shape.username,
    email: registerSchema.shape.email,
    displayName: registerSchema.shape.displayName,
    locale: registerSchema.shape.locale,
    roles: roleNames.default([]),
    verified: truth('verified').default(false),
  })
  .meta({
    title: 'UserCreation',
    example: { username: 'ada', email: 'ada@example.org', roles: [] },
  });

/** Body of `POST /users` with `IDENTIFIER=email`. */
export const createUserByAddressSchema = z
  .object({ ...createUserSchema.shape, email: emailSchema })
  .omit({ username: true })
  .meta({ title: 'UserCreation', example: { email: 'ada@example.org', roles: [] } });

/** Body of `PATCH /users/:id`. Other values cannot be set. */
export const patchUserSchema = z
  .object({
    roles: roleNames.optional(),
    disabled: z
      .object(
        {
          reason: storableText('reason', 255)
            .refine(isOneLine, {
              error: 'The reason has to be one line, without control characters',
            })
            .nullish(),
          until: timeParameter('until')
            .refine((until) => until.getTime() > clock.now(), {
              error: 'The until has to be in the future',
            })
            .nullish(),
        },
        { error: 'The value of disabled has to be an object with reason and until, or null' },
      )
      .nullish(),
    verified: truth('verified').optional(),
  })
  .meta({ title: 'UserChange', example: { roles: ['support'], disabled: null } });

/** Body of `PUT /roles/:name`. */
export const putRoleSchema = z
  .object({
    permissions: z
      .array(
        z.string({ error: 'A permission has to be a string' }).regex(/^(\*|[\w.:/-]{1,64})$/, {
          error: 'A permission has up to 64 letters, digits and any of .:/-_, or is *',
        }),
        { error: 'The permissions have to be a list' },
      )
      .max(100, { error: 'A role has at most 100 permissions' }),
  })
  .meta({ title: 'RoleChange', example: { permissions: ['users:read'] } });

/** Parameters of `/roles/:name`. */
export const roleNameSchema = z.object({ name: roleName });

/** A user as shown to an administrator. */
export const adminUserSchema = userSchema
  .extend({
    updatedAt: z.string().meta({ format: 'date-time' }),
    verified: z.boolean().describe('Whether the user is known to receive mail at the address'),
    disabled: z
      .object({
        since: z.string().meta({ format: 'date-time' }),
        until: z.string().meta({ format: 'date-time' }).nullable(),
        reason: z.string().nullable(),
      })
      .nullable(),
  })
  .meta({ title: 'AdminUser' });

/** Answer of `GET /users/:id`. */
export const userWithFactorsSchema = adminUserSchema
  .extend({
    factors: z.array(
      z.object({
        id: z.uuid(),
        kind: z.string(),
        name: z.string(),
        created_at: z.string().meta({ format: 'date-time' }),
        last_used_at: z.string().meta({ format: 'date-time' }).nullable(),
      }),
    ),
    recovery_codes_left: z.int(),
  })
  .meta({ title: 'AdminUserWithFactors' });

/** Answer of `GET /users`. */
export const userPageSchema = z
  .object({
    users: z.array(adminUserSchema),
    next: z
      .string()
      .nullable()
      .describe('The `cursor` of the next page, null after the last; a page before may be short'),
  })
  .meta({ title: 'UserPage' });

/** A role and its permissions. */
export const roleSchema = z
  .object({
    name: z.string(),
    permissions: z.array(z.string()),
    builtIn: z.boolean(),
  })
  .meta({
    title: 'Role',
    example: { name: 'support', permissions: ['users:read'], builtIn: false },
  });

/** Answer of `GET /roles`. */
export const rolesSchema = z.object({ roles: z.array(roleSchema) }).meta({ title: 'Roles' });

/** Answer of `POST /users/:id/sessions/revoke`. */
export const endedSchema = z
  .object({ ended: z.int().describe('How many sessions ended') })
  .meta({ title: 'Ended' });

/** Answer of `POST /users/:id/impersonate`. */
export const impersonationSchema = z
  .object({
    jwt: z.string(),
    token_type: z.string(),
    expires_in: z.int().describe('Seconds until `jwt` expires; there is no way to renew it'),
  })
  .meta({ title: 'ImpersonationToken' });

export type ListUsersQuery = z.infer<typeof listUsersSchema>;
export type CreateUserBody = z.infer<typeof createUserSchema>;
export type CreateUserByAddressBody = z.infer<typeof createUserByAddressSchema>;
export type PatchUserBody = z.infer<typeof patchUserSchema>;
export type RoleName = z.infer<typeof roleNameSchema>;
export type PutRoleBody = z.infer<typeof putRoleSchema>;
export type AdminUserView = z.infer<typeof adminUserSchema>;
export type UserWithFactorsView = z.infer<typeof userWithFactorsSchema>;
export type UserPageView = z.infer<typeof userPageSchema>;

/** A user as shown to an administrator. */
export function adminViewOf(user: User): AdminUserView {
  const { id, username, email, roles, createdAt, updatedAt } = user;
  const { disabledAt, disabledUntil, disabledReason } = user;
  return {
    id,
    username,
    email,
    roles,
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
    verified: user.emailVerifiedAt !== null,
    disabled:
      disabledAt && isDisabled(user)
        ? {
            since: disabledAt.toISOString(),
            until: disabledUntil?.toISOString() ?? null,
            reason: disabledReason,
          }
        : null,
  };
}

/** The second factors of a user as shown to an administrator. */
export function factorsViewOf({ factors, recoveryCodesLeft }: EnrolledFactors) {
  return {
    factors: factors.map(({ id, kind, name, createdAt, lastUsedAt }) => ({
      id,
      kind,
      name,
      created_at: createdAt.toISOString(),
      last_used_at: lastUsedAt?.toISOString() ?? null,
    })),
    recovery_codes_left: recoveryCodesLeft,
  };
}
