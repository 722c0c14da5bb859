import { Column, Entity, Index, PrimaryColumn, type ValueTransformer } from 'typeorm';
import { epochMillis } from '../database/time.js';

/** PostgreSQL's driver gives a `bigint` as text. */
const counted: ValueTransformer = {
  to: (value: unknown) => value,
  from: (value: string | number | null) => (value === null ? null : Number(value)),
};

/**
 * One thing that happened. Written once; later only its place in the chain is added, and origins are
 * emptied when a user is deleted. It refers to users without a foreign key, since it outlives them.
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

  /** A JSON object as text, so that the MAC is over the stored bytes. */
  @Column('text', { nullable: true })
  details!: string | null;

  @Column('varchar', { length: 64, nullable: true })
  address!: string | null;

  @Column('varchar', { name: 'user_agent', length: 512, nullable: true })
  userAgent!: string | null;

  /** Makes `originDigest` say nothing once the three are emptied; null where there was no origin. */
  @Column('varchar', { name: 'origin_salt', length: 22, nullable: true })
  originSalt!: string | null;

  /** SHA-256 of salt, address and user agent: what the MAC is over in their place. Empty without them. */
  @Column('varchar', { name: 'origin_digest', length: 43 })
  originDigest!: string;

  /** Over everything above, by who wrote it. */
  @Column('varchar', { length: 64 })
  mac!: string;

  /** Its place in the chain; null until it is sealed. */
  @Index('uq_audit_events_seq', { unique: true })
  @Column('bigint', { nullable: true, transformer: counted })
  seq!: number | null;

  /** The chain up to here: a MAC over the one before, `seq` and `mac`. */
  @Column('varchar', { length: 64, nullable: true })
  hash!: string | null;
}
