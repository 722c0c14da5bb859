import { Injectable } from '@nestjs/common';

/**
 * What has to be well for this instance to serve requests: each room adds its part, and
 * `/health/ready` asks them all.
 */
@Injectable()
export class Readiness {
  private readonly checks = new Map<string, () => void | Promise<void>>();

  /** Adds a part by name; `check` throws, with a sentence for the log, while it is not ready. */
  add(part: string, check: () => void | Promise<void>): void {
    this.checks.set(part, check);
  }

  /** The parts in the order they were added. */
  get parts(): [part: string, check: () => void | Promise<void>][] {
    return [...this.checks];
  }
}
