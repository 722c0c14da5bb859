import { Injectable } from '@nestjs/common';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';

interface Described {
  /** Prometheus name, with its unit: `latchkey_hash_seconds`, `latchkey_logins_total`. */
  name: string;
  help: string;
}

/**
 * The numbers of one application (its own registry, so that several in one process do not mix), by
 * prom-client. Labels come from closed lists: never a name, an address or a token.
 */
@Injectable()
export class Metrics {
  readonly registry = new Registry();

  /** A number that only grows. */
  counter<L extends string = never>(of: Described & { labelNames?: L[] }): Counter<L> {
    return new Counter({ ...of, registers: [this.registry] });
  }

  /** A number that is read off when it is asked for, by `collect`, or set. */
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

  /** A distribution; `buckets` are upper bounds in the metric's unit. */
  histogram<L extends string = never>(
    of: Described & { buckets: number[]; labelNames?: L[] },
  ): Histogram<L> {
    return new Histogram({ ...of, registers: [this.registry] });
  }
}
