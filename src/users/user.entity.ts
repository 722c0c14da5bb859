import {
  Column,
  Entity,
  Index,
  PrimaryColumn,
  type ValueTransformer,
  VirtualColumn,
} from 'typeorm';
import { clock } from '../common/clock.js';
import { epochMillis } from '../database/time.js';

/** Conditions of partial indexes. A query has to repeat them to use the indexes. */
export const IS_DISABLED = 'disabled_at IS NOT NULL';
export const HAS_FACTOR = 'second_factor_since IS NOT NULL';
export const HAS_NO_FACTOR = 'second_factor_since IS NULL';
export const IS_UNVERIFIED = 'email_verified_at IS NULL AND email_key IS NOT NULL';

/** SQL for the roles of a user, in one text and in their order. Names of roles have no spaces. */
const rolesSql = (user: string): string =>
  `SELECT string_agg(held.role, ' ' ORDER BY held.position) FROM user_roles held WHERE held.user_id = ${user}.id`;

const roleNames: ValueTransformer = {
  to: (value: unknown) => value,
  from: (text: string | null) => text?.split(' ') ?? [],
};

/** A registered user. */
@Entity('users')
@Index('ix_users_created_at', ['createdAt', 'id'])
@Index('ix_users_disabled', ['createdAt', 'id'], { where: IS_DISABLED })
@Index('ix_users_unverified', ['createdAt', 'id'], { where: IS_UNVERIFIED })
@Index('ix_users_with_factor', ['createdAt', 'id'], { where: HAS_FACTOR })
@Index('ix_users_without_factor', ['createdAt', 'id'], { where: HAS_NO_FACTOR })
export class User {
  /** A UUID; the subject of tokens. */
  @PrimaryColumn('varchar', { length: 36 })
  id!: string;

  /** The name as typed at registration. A user without a username has the address here; see `isNameless`. */
  @Column('varchar', { length: 1024 })
  username!: string;

  /**
   * The name in PRECIS UsernameCaseMapped form (RFC 8265, section 3.3), or the unique form of the address; unique.
   */
  // Sorted by code points on PostgreSQL as well, so that the index finds a prefix.
  @Index('uq_users_username_key', { unique: true })
  @Column({ type: 'varchar', name: 'username_key', length: 512, collation: 'C' })
  usernameKey!: string;

  /** The address as typed; null if there is none. */
  @Column('varchar', { length: 254, nullable: true })
  email!: string | null;

  /** The address in a form that ignores case; unique. */
  @Index('uq_users_email_key', { unique: true })
  @Column({ type: 'varchar', name: 'email_key', length: 512, nullable: true, collation: 'C' })
  emailKey!: string | null;

  /** When the user proved to receive mail at the address; null if not yet. */
  @Column('bigint', { name: 'email_verified_at', nullable: true, transformer: epochMillis })
  emailVerifiedAt!: Date | null;

  /** The name for display; null if there is none. */
  @Column('varchar', { name: 'display_name', length: 256, nullable: true })
  displayName!: string | null;

  /** The language of mails, a BCP 47 tag such as `de-AT`; null for that of the request. */
  @Column('varchar', { length: 35, nullable: true })
  locale!: string | null;

  /** A password hash; see `PasswordsService`. It never leaves the server. */
  @Column('varchar', { name: 'password_hash', length: 255 })
  passwordHash!: string;

  /** When the user got a second factor, without which no sign-in is complete; null if the user has none. */
  @Column('bigint', { name: 'second_factor_since', nullable: true, transformer: epochMillis })
  secondFactorSince!: Date | null;

  /**
   * The names of the user's roles, read from `user_roles`. `writeRoles` changes them; an update of the user
   * ignores them.
   */
  @VirtualColumn('varchar', { query: rolesSql, transformer: roleNames })
  roles!: string[];

  /** The claim `ver`. It is raised to end the tokens that were issued before. */
  @Column('integer', { name: 'token_version', default: 0 })
  tokenVersion!: number;

  /** When the account was disabled; null if it was not. See {@link isDisabled}. */
  @Column('bigint', { name: 'disabled_at', nullable: true, transformer: epochMillis })
  disabledAt!: Date | null;

  /** When the ban ends by itself; null if it does not. */
  @Column('bigint', { name: 'disabled_until', nullable: true, transformer: epochMillis })
  disabledUntil!: Date | null;

  /** The reason in an administrator's words. It is not shown to the user. */
  @Column('varchar', { name: 'disabled_reason', length: 255, nullable: true })
  disabledReason!: string | null;

  @Column('bigint', { name: 'created_at', transformer: epochMillis })
  createdAt!: Date;

  @Column('bigint', { name: 'updated_at', transformer: epochMillis })
  updatedAt!: Date;
}

/** Tells whether a user may not sign in now. */
export function isDisabled(user: Pick<User, 'disabledAt' | 'disabledUntil'>): boolean {
  const { disabledAt, disabledUntil } = user;
  return disabledAt !== null && (disabledUntil === null || disabledUntil.getTime() > clock.now());
}

/** Returns SQL for the opposite of {@link isDisabled}. `now` is SQL as well, in milliseconds since 1970. */
export const isEnabledSql = (now: string): string =>
  `(disabled_at IS NULL OR disabled_until <= ${now})`;
