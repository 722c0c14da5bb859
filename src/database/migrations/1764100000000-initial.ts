import {
  type MigrationInterface,
  type QueryRunner,
  Table,
  type TableColumnOptions,
  type TableOptions,
} from 'typeorm';
import { ofUser } from '../user-key.js';

/** Makes the tables of the core. A capability makes its own in its own migration. */
export class Initial1764100000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const table of tables(runner)) await runner.createTable(new Table(table));
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const { name } of tables(runner).reverse()) await runner.dropTable(name);
  }
}

/** The tables, each after those that it refers to. */
const tables = (runner: QueryRunner): TableOptions[] => [
  users(runner),
  userRoles,
  usernameClaims(runner),
  passwordCosts,
  roles,
  sessions,
  revocations,
  mailOutbox,
  oneTimeTokens,
  codeMisses,
  auditEvents,
];

const text = (name: string, length: number): TableColumnOptions => ({
  name,
  type: 'varchar',
  length: String(length),
});
const textOrNull = (name: string, length: number): TableColumnOptions => ({
  ...text(name, length),
  isNullable: true,
});
const time = (name: string): TableColumnOptions => ({ name, type: 'bigint' });
const timeOrNull = (name: string): TableColumnOptions => ({ ...time(name), isNullable: true });
const id = { ...text('id', 36), isPrimary: true };
const userId = text('user_id', 36);

/** Orders a text by code points, so that its index finds prefixes. SQLite does so by default. */
const byCodePoints = (runner: QueryRunner): object =>
  runner.connection.options.type === 'postgres' ? { collation: 'C' } : {};

const users = (runner: QueryRunner): TableOptions => ({
  name: 'users',
  columns: [
    id,
    text('username', 1024),
    { ...text('username_key', 512), ...byCodePoints(runner) },
    textOrNull('email', 254),
    { ...textOrNull('email_key', 512), ...byCodePoints(runner) },
    timeOrNull('email_verified_at'),
    textOrNull('display_name', 256),
    textOrNull('locale', 35),
    text('password_hash', 255),
    timeOrNull('second_factor_since'),
    { name: 'token_version', type: 'integer', default: 0 },
    timeOrNull('disabled_at'),
    timeOrNull('disabled_until'),
    textOrNull('disabled_reason', 255),
    time('created_at'),
    time('updated_at'),
  ],
  indices: [
    { name: 'uq_users_username_key', columnNames: ['username_key'], isUnique: true },
    { name: 'uq_users_email_key', columnNames: ['email_key'], isUnique: true },
    { name: 'ix_users_created_at', columnNames: ['created_at', 'id'] },
    {
      name: 'ix_users_disabled',
      columnNames: ['created_at', 'id'],
      where: 'disabled_at IS NOT NULL',
    },
    {
      name: 'ix_users_unverified',
      columnNames: ['created_at', 'id'],
      where: 'email_verified_at IS NULL AND email_key IS NOT NULL',
    },
    {
      name: 'ix_users_with_factor',
      columnNames: ['created_at', 'id'],
      where: 'second_factor_since IS NOT NULL',
    },
    {
      name: 'ix_users_without_factor',
      columnNames: ['created_at', 'id'],
      where: 'second_factor_since IS NULL',
    },
  ],
});

const userRoles: TableOptions = {
  name: 'user_roles',
  columns: [
    { ...text('role', 255), isPrimary: true },
    { ...time('created_at'), isPrimary: true },
    { ...userId, isPrimary: true },
    { name: 'position', type: 'integer' },
  ],
  indices: [{ name: 'ix_user_roles_user_id', columnNames: ['user_id'] }],
  foreignKeys: [ofUser('user_roles')],
};

const usernameClaims = (runner: QueryRunner): TableOptions => ({
  name: 'username_claims',
  columns: [
    { ...text('skeleton', 512), isPrimary: true, ...byCodePoints(runner) },
    userId,
    timeOrNull('reserved_until'),
  ],
  indices: [{ name: 'ix_username_claims_user_id', columnNames: ['user_id'] }],
  foreignKeys: [ofUser('username_claims')],
});

const passwordCosts: TableOptions = {
  name: 'password_costs',
  columns: [{ name: 'cost', type: 'integer', isPrimary: true }],
};

const roles: TableOptions = {
  name: 'roles',
  columns: [
    { ...text('name', 64), isPrimary: true },
    { name: 'permissions', type: 'text' },
    time('updated_at'),
  ],
};

const sessions: TableOptions = {
  name: 'sessions',
  columns: [
    id,
    userId,
    time('created_at'),
    text('amr', 64),
    { name: 'aal', type: 'integer' },
    time('authenticated_at'),
    time('last_used_at'),
    time('expires_at'),
    timeOrNull('ended_at'),
    textOrNull('end_reason', 64),
    text('user_agent', 512),
    text('address', 64),
    { name: 'refresh_generation', type: 'integer' },
    time('refreshed_at'),
    { name: 'recovered_generation', type: 'integer', isNullable: true },
    text('salt', 32),
  ],
  indices: [
    { name: 'ix_sessions_user_id', columnNames: ['user_id'] },
    { name: 'ix_sessions_ended_at', columnNames: ['ended_at'] },
    { name: 'ix_sessions_expires_at', columnNames: ['expires_at'] },
  ],
  foreignKeys: [ofUser('sessions')],
};

const revocations: TableOptions = {
  name: 'revocations',
  columns: [
    id,
    textOrNull('session_id', 36),
    userId,
    { name: 'below_version', type: 'integer', isNullable: true },
    { name: 'stale', type: 'boolean' },
    time('revoked_at'),
    { name: 'position', type: 'bigint' },
  ],
  indices: [
    { name: 'ix_revocations_revoked_at', columnNames: ['revoked_at'] },
    { name: 'ix_revocations_position', columnNames: ['position'] },
  ],
};

const mailOutbox: TableOptions = {
  name: 'mail_outbox',
  columns: [
    id,
    { ...userId, isNullable: true },
    textOrNull('template', 64),
    textOrNull('request', 64),
    { name: 'sealed', type: 'text' },
    time('created_at'),
    time('expires_at'),
    time('due_at'),
    { name: 'attempts', type: 'integer', default: 0 },
    timeOrNull('failed_at'),
    textOrNull('failure', 255),
  ],
  indices: [
    { name: 'ix_mail_outbox_user_id', columnNames: ['user_id'] },
    { name: 'ix_mail_outbox_due_at', columnNames: ['due_at'] },
  ],
  foreignKeys: [ofUser('mail_outbox')],
};

const oneTimeTokens: TableOptions = {
  name: 'one_time_tokens',
  columns: [
    { ...text('token_hash', 43), isPrimary: true },
    userId,
    text('purpose', 64),
    text('slot', 36),
    textOrNull('code_mac', 43),
    { name: 'code_attempts', type: 'integer', default: 0 },
    text('guard', 43),
    { name: 'payload', type: 'text', isNullable: true },
    time('created_at'),
    time('expires_at'),
    timeOrNull('used_at'),
  ],
  indices: [
    {
      name: 'uq_one_time_tokens_slot',
      columnNames: ['user_id', 'purpose', 'slot'],
      isUnique: true,
    },
    { name: 'ix_one_time_tokens_expires_at', columnNames: ['expires_at'] },
  ],
  foreignKeys: [ofUser('one_time_tokens')],
};

const codeMisses: TableOptions = {
  name: 'code_misses',
  columns: [
    { name: 'slot', type: 'integer', isPrimary: true },
    { name: 'misses', type: 'bigint' },
  ],
};

const auditEvents: TableOptions = {
  name: 'audit_events',
  columns: [
    id,
    time('created_at'),
    text('action', 64),
    textOrNull('subject_id', 36),
    textOrNull('actor_id', 36),
    textOrNull('impersonator_id', 36),
    text('source', 16),
    textOrNull('request_id', 36),
    { name: 'details', type: 'text', isNullable: true },
    textOrNull('address', 64),
    textOrNull('user_agent', 512),
    textOrNull('origin_salt', 22),
    text('origin_digest', 43),
    text('mac', 64),
    { name: 'seq', type: 'bigint', isNullable: true },
    textOrNull('hash', 64),
  ],
  indices: [
    { name: 'ix_audit_events_created_at', columnNames: ['created_at', 'id'] },
    { name: 'ix_audit_events_subject_id', columnNames: ['subject_id', 'created_at', 'id'] },
    { name: 'ix_audit_events_actor_id', columnNames: ['actor_id', 'created_at', 'id'] },
    { name: 'ix_audit_events_action', columnNames: ['action', 'created_at', 'id'] },
    { name: 'uq_audit_events_seq', columnNames: ['seq'], isUnique: true },
  ],
};
