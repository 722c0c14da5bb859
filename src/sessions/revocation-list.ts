import type { Revocation } from './revocation.entity.js';

/** A revocation without its position in the table. */
export type Revoked = Omit<Revocation, 'position'>;

/** Why an access token that looks good is refused. */
export type Verdict = 'token_revoked' | 'token_stale';

/** The claims of a token that a revocation can concern. */
export interface TokenOrigin {
  userId: string;
  sid: string;
  ver: number;
}

interface UserEntry {
  revokedBelow: number;
  staleBelow: number;
  until: Until;
}

/** When an entry may go. Both times, in milliseconds, have to be over. */
interface Until {
  /** Since 1970. */
  time: number;
  /** By the clock that cannot be set, `performance.now()`. */
  steady: number;
}

/**
 * The revocations of the last token lifetime, in memory: ended sessions, and users whose version was raised.
 * An entry stays for `lifetime` milliseconds, until no token that it concerns is valid. It also stays for
 * that long after this process loaded it: a clock that was set meanwhile must not revive a token.
 */
export class RevocationList {
  private readonly sessions = new Map<string, Until>();
  private readonly users = new Map<string, UserEntry>();

  constructor(private readonly lifetime: number) {}

  /** The number of remembered sessions and users. */
  get size(): number {
    return this.sessions.size + this.users.size;
  }

  /** Adds a revocation; adding it again changes nothing. */
  add(
    { sessionId, userId, belowVersion, stale, revokedAt }: Revoked,
    steady = performance.now(),
  ): void {
    const until = { time: revokedAt.getTime() + this.lifetime, steady: steady + this.lifetime };
    if (sessionId !== null && !this.sessions.has(sessionId)) this.sessions.set(sessionId, until);
    if (belowVersion === null) return;
    const known = this.users.get(userId) ?? { revokedBelow: 0, staleBelow: 0, until };
    const below = stale ? 'staleBelow' : 'revokedBelow';
    this.users.set(userId, {
      ...known,
      [below]: Math.max(known[below], belowVersion),
      until: known.until.time < until.time ? until : known.until,
    });
  }

  /** Returns why a token is refused, or undefined if no revocation concerns it. */
  verdict({ userId, sid, ver }: TokenOrigin): Verdict | undefined {
    if (this.sessions.has(sid)) return 'token_revoked';
    const user = this.users.get(userId);
    if (user === undefined) return undefined;
    if (ver < user.revokedBelow) return 'token_revoked';
    return ver < user.staleBelow ? 'token_stale' : undefined;
  }

  /** Forgets the entries that concern only tokens expired by `time`, in milliseconds since 1970. */
  prune(time: number, steady = performance.now()): void {
    const isOver = (until: Until) => until.time <= time && until.steady <= steady;
    for (const [id, until] of this.sessions) if (isOver(until)) this.sessions.delete(id);
    for (const [id, { until }] of this.users) if (isOver(until)) this.users.delete(id);
  }
}
