/** If the machine's two clocks differ by more than this, its time of day was set; in milliseconds. */
const JUMP = 250;

/** The share of the passing time that the clock gives up while its source is behind. */
const SLOWNESS = 0.5;

/** If the source is behind by more than this, the clock follows it back at once; in milliseconds. */
const LARGE = 3_600_000;

/**
 * The time of day for all of Latchkey. All instances set it by the clock of their database, so the clocks of
 * their machines may be wrong. It never goes back, unless the database's clock goes back by more than an
 * hour. For less, it runs slowly until the database has caught up.
 */
export class Clock {
  private offset = 0;
  private latest = 0;
  private wasSet = false;
  private wall = Date.now();
  private steady = performance.now();

  /** Returns milliseconds since 1970. */
  now(): number {
    const wall = Date.now();
    const steady = performance.now();
    const jump = Math.round(wall - this.wall - (steady - this.steady));
    if (Math.abs(jump) > JUMP) {
      this.offset -= jump;
      this.anchor(wall, steady);
    }
    this.latest = Math.max(this.latest, wall + this.offset);
    return this.latest;
  }

  /** Returns the same as a `Date`. */
  date(): Date {
    return new Date(this.now());
  }

  /**
   * Sets the clock by a source that answered `source`, at a moment between this clock's `asked` and now. A
   * source within these bounds changes nothing.
   */
  set(asked: number, source: number): void {
    const now = this.now();
    const passed = performance.now() - this.steady;
    this.anchor(Date.now(), performance.now());
    const ahead = asked - source;
    if (source > now) {
      this.offset += source - now;
    } else if (ahead > 0) {
      const follow = !this.wasSet || ahead > LARGE;
      this.offset -= follow ? ahead : Math.min(ahead, Math.round(passed * SLOWNESS));
      if (follow) this.latest = 0;
    }
    this.wasSet = true;
  }

  /** Takes the machine's present time of day as right. */
  private anchor(wall: number, steady: number): void {
    this.wall = wall;
    this.steady = steady;
  }
}

/** The clock of this process. */
export const clock = new Clock();
