/** How often counters that are over are looked for, in milliseconds. */
const SWEEP = 1_000;

/** What decides how long a counter stays. */
interface Standing {
  /** How full it is; see {@link levelOf}. */
  level: number;
  /** When it starts anew, by `performance.now()`. */
  ends: number;
}

/** Above every level of a counter that has room. */
const FULL = 32;

/**
 * The keys of the counters that this process holds, and which of them go if there are too many: first
 * those that are over, then the emptiest, and among these those that were not used for longest. So a
 * flood of other keys cannot push out a key that is blocked or near its limit, unless each of them is
 * counted as often.
 */
export class CounterKeys {
  private readonly standings = new Map<string, Standing>();
  /** The same keys by level, those that were not used for longest first. */
  private readonly levels = Array.from({ length: FULL + 1 }, () => new Set<string>());
  private sweptAt = -Infinity;

  constructor(
    private readonly most: number,
    private readonly onDropped: (key: string) => void,
  ) {}

  /** Notes that a counter was used: it has `used` of `points`, for so many milliseconds more. */
  use(key: string, used: number, points: number, left: number): void {
    this.delete(key);
    const level = levelOf(used, points);
    this.standings.set(key, { level, ends: performance.now() + left });
    this.levels[level]?.add(key);
    while (this.standings.size > this.most) this.dropOne();
  }

  /** Forgets a key whose counter is empty. */
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

/** The number of times that `used` doubled, or {@link FULL} from `points` on. */
const levelOf = (used: number, points: number): number =>
  used >= points ? FULL : Math.min(FULL - 1, Math.floor(Math.log2(Math.max(1, used))));
