/** The time between two removals of expired counters, in milliseconds. */
const SWEEP = 1_000;

/** The two facts that decide how long a counter stays. */
interface Standing {
  /** How full the counter is; see {@link levelOf}. */
  level: number;
  /** When the counter restarts, by `performance.now()`. */
  ends: number;
}

/** The level of a counter that has no room left. */
const FULL = 32;

/**
 * The keys of the counters in this process. If there are too many, the expired ones go first, then the
 * emptiest. Among equally full ones, the least recently used go first. So a flood of other keys cannot push
 * out a key that is blocked or near its limit, unless the flood counts each of its keys as often.
 */
export class CounterKeys {
  private readonly standings = new Map<string, Standing>();
  /** The same keys by level, the least recently used first. */
  private readonly levels = Array.from({ length: FULL + 1 }, () => new Set<string>());
  private sweptAt = -Infinity;

  constructor(
    private readonly most: number,
    private readonly onDropped: (key: string) => void,
  ) {}

  /** Records that a counter has `used` of its `points`, for `left` more milliseconds. */
  use(key: string, used: number, points: number, left: number): void {
    this.delete(key);
    const level = levelOf(used, points);
    this.standings.set(key, { level, ends: performance.now() + left });
    this.levels[level]?.add(key);
    while (this.standings.size > this.most) this.dropOne();
  }

  /** Forgets the key of an empty counter. */
  delete(key: string): void {
    const standing = this.standings.get(key);
    if (!standing) return;
    this.standings.delete(key);
    this.levels[standing.level]?.delete(key);
  }

  private dropOne(): void {
    const now = performance.now();
    if (now - this.sweptAt > SWEEP) {
      this.sweptAt = now;
      for (const [key, { ends }] of this.standings) if (ends <= now) this.drop(key);
      if (this.standings.size <= this.most) return;
    }
    for (const keys of this.levels) {
      const [first] = keys;
      if (first === undefined) continue;
      this.drop(first);
      return;
    }
  }

  private drop(key: string): void {
    this.delete(key);
    this.onDropped(key);
  }
}

/** Returns how often `used` doubled, or {@link FULL} from `points` on. */
const levelOf = (used: number, points: number): number =>
  used >= points ? FULL : Math.min(FULL - 1, Math.floor(Math.log2(Math.max(1, used))));
