import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import { Session } from '../sessions/session.entity.js';

/** The cookie of a browser that is signed in on the pages. The session's own row has its times and its device. */
@Entity('browser_sessions')
export class BrowserSession {
  /** SHA-256 of the cookie's value, in base64url. */
  @PrimaryColumn('varchar', { name: 'token_hash', length: 43 })
  tokenHash!: string;

  @Index('uq_browser_sessions_session_id', { unique: true })
  @Column('varchar', { name: 'session_id', length: 36 })
  sessionId!: string;

  // TypeORM would give a one-to-one relation a second index.
  @ManyToOne(() => Session, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'session_id', foreignKeyConstraintName: 'fk_browser_sessions_session_id' })
  session?: Session;

  /** Whether the browser keeps the cookie when it closes. */
  @Column('boolean')
  persistent!: boolean;
}
