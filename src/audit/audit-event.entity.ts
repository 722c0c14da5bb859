import { Column, Entity, Index, PrimaryColumn, type ValueTransformer } from 'typeorm';
import { epochMillis } from '../database/time.js';

/** PostgreSQL's driver returns a `bigint` as text. */
const counted: ValueTransformer = {
  to: (value: unknown) => value,
  from: (value: string | number | null) => (value === null ? null : Number(value)),
};

/**
 * One recorded change. A row is written once. Later it only gets its place in the chain, and loses its origin
 * when a user is deleted. It has no foreign key to users, because it outlives them.
 */
@Entity('audit_events')
@Index('ix_audit_events_created_at', ['createdAt', 'id'])
@Index('ix_audit_events_subject_id', ['subjectId', 'createdAt', 'id'])
@Index('ix_audit_events_actor_id', ['actorId', 'createdAt', 'id'])
@Index('ix_audit_events_action', ['action', 'createdAt', 'id'])
export class AuditEvent {
  @PrimaryColumn('varchar', { length: 36 })
  id!: string;

  @Column('bigint', { name: 'created_at', transformer: epochMillis })
  createdAt!: Date;

  @Column('varchar', { length: 64 })
  action!: string;

  @Column('varchar', { name: 'subject_id', length: 36, nullable: true })
  subjectId!: string | null;

  @Column('varchar', { name: 'actor_id', length: 36, nullable: true })
  actorId!: string | null;

  @Column('varchar', { name: 'impersonator_id', length: 36, nullable: true })
  impersonatorId!: string | null;

  /** `request`, `cli` or `server`. */
  @Column('varchar', { length: 16 })
  source!: string;

  @Column('varchar', { name: 'request_id', length: 36, nullable: true })
  requestId!: string | null;

  /** A JSON object as text, because the MAC covers the stored bytes. */
  @Column('text', { nullable: true })
  details!: string | null;

  @Column('varchar', { length: 64, nullable: true })
  address!: string | null;

  @Column('varchar', { name: 'user_agent', length: 512, nullable: true })
  userAgent!: string | null;

  /**
   * The salt of `originDigest`, so that the digest reveals nothing after the origin was emptied. Null without
   * an origin.
   */
  @Column('varchar', { name: 'origin_salt', length: 22, nullable: true })
  originSalt!: string | null;

  /**
   * SHA-256 of salt, address and user agent, which the MAC covers in their place. Empty without an origin.
   */
  @Column('varchar', { name: 'origin_digest', length: 43 })
  originDigest!: string;

  /** The MAC of all columns above, by the instance that wrote the row. Empty without the chain. */
  @Column('varchar', { length: 64 })
  mac!: string;

  /** The place in the chain; null until the row is sealed. */
  @Index('uq_audit_events_seq', { unique: true })
  @Column('bigint', { nullable: true, transformer: counted })
  seq!: number | null;

  /** The hash of the chain up to here: a MAC over the hash before, `seq` and `mac`. */
  @Column('varchar', { length: 64, nullable: true })
  hash!: string | null;
}
