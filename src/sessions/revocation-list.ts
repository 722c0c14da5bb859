import type { Revocation } from './revocation.entity.js';

/** Why an access token that looks good is not. */
export type Verdict = 'token_revoked' | 'token_stale';

/** What a token says of where it comes from. */
export interface TokenOrigin {
  userId: string;
  sid: string;
  ver: number;
}

interface UserEntry {
  revokedBelow: number;
  staleBelow: number;
  until: number;
}

/**
 * The revocations of the last token lifetime, in memory: sessions that ended and users whose version
 * was raised. Entries are good for `lifetime` milliseconds, after which no token they concern is left.
 */
export class RevocationList {
  private readonly sessions = new Map<string, number>();
  private readonly users = new Map<string, UserEntry>();

  constructor(private readonly lifetime: number) {}

  /** How many sessions and users are remembered. */
  get size(): number {
    return this.sessions.size + this.users.size;
  }

  /** Adds what is not known yet; the same one twice changes nothing. */
  add({ sessionId, userId, belowVersion, stale, revokedAt }: Revocation): void {
    const until = revokedAt.getTime() + this.lifetime;
    if (sessionId !== null) this.sessions.set(sessionId, until);
    if (belowVersion === null) return;
    const known = this.users.get(userId) ?? { revokedBelow: 0, staleBelow: 0, until };
    const below = stale ? 'staleBelow' : 'revokedBelow';
    this.users.set(userId, {
      ...known,
      [below]: Math.max(known[below], belowVersion),
      until: Math.max(known.until, until),
    });
  }

  /** What speaks against a token of this origin; undefined if nothing does. */
  verdict({ userId, sid, ver }: TokenOrigin): Verdict | undefined {
    if (this.sessions.has(sid)) return 'token_revoked';
    const user = this.users.get(userId);
    if (user === undefined) return undefined;
    if (ver < user.revokedBelow) return 'token_revoked';
    return ver < user.staleBelow ? 'token_stale' : undefined;
  }

  /** Forgets what concerns only tokens that have expired by `now`, in milliseconds since 1970. */
  prune(now: number): void {
    for (const [id, until] of this.sessions) if (until <= now) this.sessions.delete(id);
    for (const [id, { until }] of this.users) if (until <= now) this.users.delete(id);
  }
}
