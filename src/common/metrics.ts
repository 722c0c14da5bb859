import { Injectable } from '@nestjs/common';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';

interface Described {
  /** The Prometheus name, with its unit: `latchkey_hash_seconds`, `latchkey_logins_total`. */
  name: string;
  help: string;
}

/**
 * Holds the metrics of one application, by prom-client. Each application has its own registry, so several in
 * one process do not mix. Labels come from closed lists: they are never a name, an address or a token.
 */
@Injectable()
export class Metrics {
  readonly registry = new Registry();

  /** Adds a number that only grows. */
  counter<L extends string = never>(of: Described & { labelNames?: L[] }): Counter<L> {
    return new Counter({ ...of, registers: [this.registry] });
  }

  /** Adds a number that `collect` returns at each scrape, or that is set. */
  gauge(of: Described & { collect?: () => number }): Gauge {
    const { collect, ...described } = of;
    return new Gauge({
      ...described,
      registers: [this.registry],
      ...(collect && {
        collect() {
          this.set(collect());
        },
      }),
    });
  }

  /** Adds a distribution. `buckets` are upper bounds in the metric's unit. */
  histogram<L extends string = never>(
    of: Described & { buckets: number[]; labelNames?: L[] },
  ): Histogram<L> {
    return new Histogram({ ...of, registers: [this.registry] });
  }
}
