import { Column, Entity, Index, JoinColumn, OneToOne, PrimaryColumn } from 'typeorm';
import { User } from '../users/user.entity.js';

/**
 * The handle by which authenticators know a user. It is random, because authenticators may reveal it without the
 * user's consent (WebAuthn, section 14.6.1), and is made once, so that pages can signal removed passkeys.
 */
@Entity('webauthn_handles')
export class WebauthnHandle {
  @PrimaryColumn('varchar', { name: 'user_id', length: 36 })
  userId!: string;

  @OneToOne(() => User, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'fk_webauthn_handles_user_id' })
  user?: User;

  /** 32 random bytes; base64url. */
  @Index('uq_webauthn_handles_handle', { unique: true })
  @Column('varchar', { length: 43 })
  handle!: string;
}
