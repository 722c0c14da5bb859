import autocannon from 'autocannon';
import type { Child } from './child.js';

/** How much to measure: everything, or a little that shows that the benchmark works. */
export interface Plan {
  /** Folder of an earlier, built checkout of Latchkey to compare with. */
  against?: string;
  quick: boolean;
  rounds: number;
  /** Seconds of one measurement. */
  seconds: number;
  cost: number;
  /** Rows of the large database. */
  rows: number;
}

/** One measurement of a load. */
export interface Rate {
  perSecond: number;
  /** Milliseconds. */
  p50: number;
  p99: number;
  /** Processor time of the server for each request, in microseconds. */
  cpu: number;
  /** Share of one core that the server used. */
  busy: number;
}

/** A load of equal clients, each of which sends its next request when the last one is answered. */
export interface Load {
  path: string;
  connections: number;
  seconds: number;
  /** The status that every answer has to have; by default 200. */
  status?: number;
  /** Authorization headers that take turns: a list, or a function that returns the next one if there are many. */
  authorizations?: string[] | (() => string);
  setupClient?: autocannon.Options['setupClient'];
  /** Keeps the load generator from sleeping: see {@link keepAwake}. */
  awake?: boolean;
}

/** Puts `server` under `load`. @throws Error if an answer has another status */
export async function measure(server: Child, load: Load): Promise<Rate> {
  const cpuBefore = server.cpu();
  const began = performance.now();
  const sleep = load.awake ? keepAwake() : () => undefined;
  const result = await autocannon({
    url: server.url + load.path,
    connections: load.connections,
    duration: load.seconds,
    timeout: 60,
    sampleInt: 100,
    setupClient: load.setupClient,
    requests: requestsOf(load),
  });
  sleep();
  const ms = performance.now() - began;
  const cpu = server.cpu() - cpuBefore;
  const count = result.requests.total;
  const wanted = result.statusCodeStats?.[`${load.status ?? 200}`]?.count ?? 0;
  if (result.errors > 0 || result['2xx'] + result.non2xx !== wanted) {
    const found = JSON.stringify(result.statusCodeStats);
    throw new Error(`${server.name} ${load.path}: ${found}, ${result.errors} errors`);
  }
  return {
    perSecond: (wanted / ms) * 1000,
    p50: wanted > 0 ? result.latency.p50 : NaN,
    p99: wanted > 0 ? result.latency.p99 : NaN,
    cpu: (cpu * 1000) / count,
    busy: cpu / ms,
  };
}

function requestsOf({ path, authorizations }: Load): autocannon.Request[] {
  if (typeof authorizations === 'function') {
    const setupRequest = (request: autocannon.Request): autocannon.Request => ({
      ...request,
      headers: { ...request.headers, authorization: authorizations() },
    });
    return [{ path, setupRequest }];
  }
  return (
    authorizations?.map((authorization) => ({ path, headers: { authorization } })) ?? [{ path }]
  );
}

/**
 * Keeps this process from sleeping until the returned function is called. A server that writes to a sleeping
 * process has to wake it. On a virtual machine that takes longer than a whole request of Fastify, and slower
 * servers do it more often.
 */
function keepAwake(): () => void {
  let awake = true;
  const turn = () => {
    if (awake) setImmediate(turn);
  };
  turn();
  return () => (awake = false);
}

/**
 * Measures each of `variants` once a round, so that a disturbance of the machine affects all of them. Each round
 * begins with another one.
 */
export async function interleave<K extends string, T>(
  rounds: number,
  variants: Record<K, () => Promise<T>>,
): Promise<Record<K, T[]>> {
  const names = Object.keys(variants) as K[];
  const results = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<K, T[]>;
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < names.length; i++) {
      const name = names[(i + round) % names.length] as K;
      results[name].push(await variants[name]());
    }
  }
  return results;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? NaN) + (sorted[Math.ceil(middle)] ?? NaN)) / 2;
}

/** Returns the median of one figure over the rounds. */
export function middle<K extends string>(rounds: readonly Record<K, number>[], figure: K): number {
  return median(rounds.map((round) => round[figure]));
}

/** Returns the median of the rounds' ratios, so that a slow round changes little. */
export function ratio(above: readonly number[], below: readonly number[]): number {
  return median(above.map((value, round) => value / (below[round] ?? NaN)));
}
