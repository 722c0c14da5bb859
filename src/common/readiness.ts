import { Injectable } from '@nestjs/common';

/**
 * The parts that have to work before this instance can serve requests. Each room adds its part, and
 * `/health/ready` asks them all.
 */
@Injectable()
export class Readiness {
  private readonly checks = new Map<string, () => void | Promise<void>>();

  /** Adds a part by name. While it is not ready, `check` throws an error with a sentence for the log. */
  add(part: string, check: () => void | Promise<void>): void {
    this.checks.set(part, check);
  }

  /** The parts, in the order of their addition. */
  get parts(): [part: string, check: () => void | Promise<void>][] {
    return [...this.checks];
  }
}
