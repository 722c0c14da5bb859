import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The flags by which V8 samples the main thread every 200 µs, and writes the profile into the working directory
 * at the end.
 */
export const PROFILED = ['--cpu-prof', '--cpu-prof-interval=200'];

/** The part of the profile format of V8 that is read here; times in microseconds. */
interface CpuProfile {
  nodes: {
    id: number;
    callFrame: { functionName: string; url: string };
    children?: number[];
  }[];
  startTime: number;
  samples: number[];
  timeDeltas: number[];
}

/** The places of samples. The first one that fits counts: by the name of a built-in function, or by the file. */
const PLACES: [place: string, builtIn: RegExp | null, files: RegExp | null][] = [
  ['the kernel: writing to sockets and files', /^(write\w*|shutdown)$/, null],
  ['garbage collection', /^\(garbage collector\)$/, null],
  ['hooks on promises (AsyncLocalStorage)', null, /async_hooks/],
  ['hashes and signatures', null, /^node:internal\/crypto\//],
  ['Node: HTTP, streams, timers', null, /^node:/],
  ['Nest', null, /\/node_modules\/(@nestjs|rxjs|reflect-metadata)\//],
  [
    'Fastify',
    null,
    /\/node_modules\/(fastify|@fastify|find-my-way|avvio|light-my-request|secure-json-parse|fast-json-stringify)\//,
  ],
  [
    'passport-jwt, jsonwebtoken',
    null,
    /\/node_modules\/(passport[\w-]*|jsonwebtoken|jws|jwa|fast-jwt|safe-buffer)\//,
  ],
  ['the log, by pino', null, /\/node_modules\/(pino[\w-]*|sonic-boom|thread-stream)\//],
  ['the metrics, by prom-client', null, /\/node_modules\/prom-client\//],
  ['TypeORM and the database’s driver', null, /\/node_modules\/(typeorm|sqlite3|pg[\w-]*)\//],
  ['other packages', null, /\/node_modules\//],
  ['the server’s own code', null, /./],
];
const REST = 'V8 and native code';
const IDLE = '(idle)';

/** Every place, in the order of the table. */
export const ALL_PLACES = [...PLACES.map(([place]) => place), REST];

/** Microseconds of the main thread in each place. */
export type Spent = Record<string, number>;

/** Reads the profile that a server left in `dir`. Returns a function for any time within it. */
export function readProfile(dir: string): (from: number, to: number) => Spent {
  // CPU.<date>.<time>.<pid>.<thread>.<number>.cpuprofile; the main thread is 0.
  const file = readdirSync(dir).find((name) => /\.0\.\d+\.cpuprofile$/.test(name));
  if (!file) throw new Error(`no profile in ${dir}`);
  const profile = JSON.parse(readFileSync(join(dir, file), 'utf8')) as CpuProfile;
  const places = placesOf(profile);
  return (from, to) => {
    const spent: Spent = Object.fromEntries(ALL_PLACES.map((place) => [place, 0]));
    let time = profile.startTime;
    profile.samples.forEach((id, i) => {
      const delta = profile.timeDeltas[i] ?? 0;
      time += delta;
      const place = places.get(id) ?? REST;
      if (time > from && time <= to && place !== IDLE) spent[place] = (spent[place] ?? 0) + delta;
    });
    return spent;
  };
}

/** Returns the place of each node. A built-in function has no file, and belongs to its caller. */
function placesOf({ nodes }: CpuProfile): Map<number, string> {
  const places = new Map<number, string>();
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const visit = (id: number, caller: string): void => {
    const node = byId.get(id);
    if (!node) return;
    const { functionName, url } = node.callFrame;
    const own = PLACES.find(([, builtIn, files]) =>
      url === '' ? builtIn?.test(functionName) : files?.test(url),
    );
    const place = functionName === IDLE ? IDLE : (own?.[0] ?? caller);
    places.set(id, place);
    for (const child of node.children ?? []) visit(child, place);
  };
  for (const { id, callFrame } of nodes) if (callFrame.functionName === '(root)') visit(id, REST);
  return places;
}

/** Returns the present time on the clock of the profiles, in microseconds. */
export const profileTime = (): number => Number(process.hrtime.bigint() / 1000n);
