/**
 * The benchmark: `npm run bench`, or `npm run bench -- --only=guard,login` and `-- --quick`. All servers are
 * child processes on 127.0.0.1. The report goes to the terminal. A complete one also goes to bench/results.md.
 * With `--against=DIR`, the guard and the logins are compared with an earlier checkout, which must be built.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Plan } from './measure.js';
import { audit } from './parts/audit.js';
import { fairness } from './parts/fairness.js';
import { flood } from './parts/flood.js';
import { guard } from './parts/guard.js';
import { listing } from './parts/listing.js';
import { login } from './parts/login.js';
import { nodes } from './parts/nodes.js';
import { pages } from './parts/pages.js';
import { passkey } from './parts/passkey.js';
import { profile } from './parts/profile.js';
import { refresh } from './parts/refresh.js';
import { scale } from './parts/scale.js';
import { secondFactor } from './parts/second-factor.js';
import { size } from './parts/size.js';
import { soak } from './parts/soak.js';
import { start } from './parts/start.js';
import { timing } from './parts/timing.js';
import { machine, met, report, type Section } from './report.js';
import { Stage } from './stage.js';

const RESULTS = 'bench/results.md';

/** Every part, in the order of the report. */
const PARTS: Record<string, (plan: Plan) => Promise<Section>> = {
  guard,
  profile,
  login,
  passkey,
  'second-factor': secondFactor,
  flood,
  fairness,
  pages,
  refresh,
  size,
  scale,
  listing,
  audit,
  timing,
  start,
  nodes,
  soak,
};

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    against: { type: 'string' },
    quick: { type: 'boolean', default: false },
  },
});
const names = values.only?.split(',') ?? Object.keys(PARTS);
const unknown = names.filter((name) => !(name in PARTS));
if (unknown.length > 0) {
  console.error(
    `No such part: ${unknown.join(', ')}. There are: ${Object.keys(PARTS).join(', ')}.`,
  );
  process.exit(2);
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    void Stage.closeAll().finally(() => process.exit(130));
  });
}

const { against } = values;
const plan: Plan = values.quick
  ? { against, quick: true, rounds: 2, seconds: 0.5, cost: 10, rows: 20_000 }
  : { against, quick: false, rounds: 5, seconds: 2, cost: 12, rows: 1_000_000 };

const sections: Section[] = [];
const began = Date.now();
const failed: string[] = [];
for (const name of names) {
  console.error(`${name} …`);
  try {
    const section = await PARTS[name]?.(plan);
    if (section) sections.push(section);
    // The whole benchmark takes long, so each part is shown when it is done.
    if (section && names.length > 1) console.log(report([section], []));
  } catch (error) {
    console.error(error);
    failed.push(name);
  }
}
const whole = !values.quick && !against && values.only === undefined && failed.length === 0;
const minutes = ((Date.now() - began) / 60_000).toFixed(1);
const text = report(sections, [
  ...machine(),
  `${plan.rounds} rounds, ${minutes} minutes; all servers on 127.0.0.1, the load generator in a ` +
    'process of its own on the same machine',
  ...(whole ? [] : ['Only a part or a quick run: no figures to rely on']),
]);
console.log(text);
if (whole) writeFileSync(RESULTS, text);
const missed = sections.flatMap(({ targets }) => targets).filter((target) => !met(target));
if (failed.length > 0) {
  console.error(`Failed: ${failed.join(', ')}.`);
  process.exitCode = 1;
}
console.error(
  `${missed.length} targets missed.` +
    (whole ? ` Written to ${RESULTS}.` : ` ${RESULTS} left as it is.`),
);
