import {
  Column,
  Entity,
  Index,
  JoinColumn,
  ManyToOne,
  PrimaryColumn,
  type ValueTransformer,
} from 'typeorm';
import { epochMillis } from '../database/time.js';
import { User } from '../users/user.entity.js';

/** A 32-bit number in a `bigint`, which the driver of PostgreSQL gives as a text. */
const number: ValueTransformer = { to: (value: unknown) => value, from: Number };

/** A passkey of a user: a WebAuthn credential that its authenticator can find by itself. */
@Entity('passkeys')
export class Passkey {
  /** A UUID; the id of the factor. */
  @PrimaryColumn('varchar', { length: 36 })
  id!: string;

  @Index('ix_passkeys_user_id')
  @Column('varchar', { name: 'user_id', length: 36 })
  userId!: string;

  @ManyToOne(() => User, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'fk_passkeys_user_id' })
  user?: User;

  /** The authenticator's name for the credential; base64url. */
  @Index('uq_passkeys_credential_id', { unique: true })
  @Column('varchar', { name: 'credential_id', length: 1364 })
  credentialId!: string;

  /** The public key as a COSE_Key (RFC 9052, section 7); base64url. */
  @Column('text', { name: 'public_key' })
  publicKey!: string;

  /** The highest signature counter that was seen; 0 if the authenticator does not count. */
  @Column('bigint', { name: 'sign_count', transformer: number })
  signCount!: number;

  /** The relying party that the credential is for, a domain. */
  @Column('varchar', { name: 'rp_id', length: 253 })
  rpId!: string;

  /** The ways to reach the authenticator, such as `internal`, separated by spaces. */
  @Column('varchar', { length: 128 })
  transports!: string;

  /** The model of the authenticator, a UUID; zeros if it does not say. */
  @Column('varchar', { length: 36 })
  aaguid!: string;

  /** Whether the credential can be synced between devices. It never changes. */
  @Column('boolean', { name: 'backup_eligible' })
  backupEligible!: boolean;

  /** Whether the credential was synced when it was last used. */
  @Column('boolean', { name: 'backed_up' })
  backedUp!: boolean;

  /** The user's name for it. */
  @Column('varchar', { length: 256 })
  name!: string;

  @Column('bigint', { name: 'created_at', transformer: epochMillis })
  createdAt!: Date;

  @Column('bigint', { name: 'last_used_at', nullable: true, transformer: epochMillis })
  lastUsedAt!: Date | null;
}
