import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';
import type { Child } from '../child.js';
import { register, warmUp } from '../client.js';
import { startLogins } from '../logins.js';
import { interleave, median, type Plan, ratio } from '../measure.js';
import { digits, type Section } from '../report.js';
import { Stage } from '../stage.js';

const CORES = availableParallelism();
const CLIENTS = [1, 8, 64, 256];

/** Measures logins a second, compared with bcrypt alone on this machine. */
export async function login(plan: Plan): Promise<Section> {
  const stage = new Stage(plan.cost);
  try {
    const patient = await stage.patient('Latchkey');
    await register(patient);
    const refreshes = plan.quick ? 10 : 3_000;
    await warmUp(patient, refreshes);
    const before = plan.quick ? 10 : 200;
    await logins(patient, 8, before);
    const amount = (clients: number) => (plan.quick ? 16 : Math.min(96, Math.max(12, clients * 6)));
    const variants: Record<string, () => Promise<Logins>> = {
      'bcrypt, one process': () => hashes(plan, 1),
      [`bcrypt, ${CORES} processes`]: () => hashes(plan, CORES),
    };
    for (const clients of CLIENTS) {
      variants[`${clients} client${clients > 1 ? 's' : ''}`] = () =>
        logins(patient, clients, amount(clients));
    }
    if (plan.against) {
      const earlier = await stage.latchkey('Latchkey, earlier', {}, plan.against);
      await register(earlier);
      await warmUp(earlier, refreshes);
      await logins(earlier, 8, before);
      for (const clients of [1, 8]) {
        variants[`${clients} client${clients > 1 ? 's' : ''}, earlier Latchkey`] = () =>
          logins(earlier, clients, amount(clients));
      }
    }
    // It is started for this row alone: an idle server would take some of the others' time.
    variants['256 clients, refused after 5 s'] = async () => {
      const server = await stage.latchkey('Latchkey, defaults');
      await register(server);
      const rate = await logins(server, 256, amount(256));
      await server.stop();
      return rate;
    };
    // The difference to find is a hundredth. The speed of a machine may change by more within a minute.
    const found = await interleave(2 * plan.rounds, variants);
    const perSecond = (name: string) => (found[name] ?? []).map((rate) => rate.perSecond);
    const one = perSecond('bcrypt, one process');
    /** The upper bound: a client has one login under way, and a core computes one hash. */
    const bound = (clients: number) => one.map((rate) => rate * Math.min(clients, CORES));
    const clientsOf = (name: string) => /^(\d+) client/.exec(name)?.[1];
    return {
      title: 'Logins',
      text:
        `bcrypt of cost ${plan.cost}. A hash in a process of its own, alone, took ` +
        `${digits(1000 / median(one))} ms, measured in each of ${one.length} rounds beside the rest; the bound is ` +
        `that rate times the smaller of clients and cores (${CORES}). ` +
        `The server has answered ${digits(refreshes)} refreshes and ${before} logins before, so that its code is ` +
        'compiled. ' +
        '_Refused_ are the 503 a second of clients that come back at once, whatever Retry-After says.',
      columns: ['', 'logins/s', 'of the bound', 'refused/s'],
      rows: Object.entries(found).map(([name, rounds]) => {
        const clients = clientsOf(name);
        const of = clients === undefined ? CORES : Number(clients);
        return [
          name,
          digits(median(perSecond(name))),
          name === 'bcrypt, one process' ? '' : digits(ratio(perSecond(name), bound(of))),
          digits(median(rounds.map((rate) => rate.refused))),
        ];
      }),
      targets: CLIENTS.map((clients) => ({
        what: `Logins with ${clients} client${clients > 1 ? 's' : ''}, to min(clients, cores) ÷ time of one bcrypt`,
        measured: ratio(perSecond(`${clients} client${clients > 1 ? 's' : ''}`), bound(clients)),
        atLeast: 0.95,
        unit: ' ×',
      })),
      notes: [
        `What ${CORES} processes reach that do nothing but hash at once is what this machine can ` +
          'give; where it is under the bound, its cores share something (caches, clock, a host).',
        'Where the logins are under that: beside the hash a login takes what _Where the time goes_ has ' +
          'of the main thread, a few milliseconds of the threads that read, write and collect garbage, and ' +
          'some of its client. Both cores hash without a pause, so it is theirs that this takes.',
      ],
    };
  } finally {
    await stage.close();
  }
}

interface Logins {
  perSecond: number;
  refused: number;
}

/**
 * Returns the steady rate of `amount` logins with `clients` clients. It counts from one answer to another, so
 * neither the rush of the first requests nor an unfinished hash at the end counts. A multiple of the number of
 * cores comes before, because the hashes of all cores may end together.
 */
export async function logins(server: Child, clients: number, amount: number): Promise<Logins> {
  const before = clients === 1 ? 1 : 4 * CORES;
  let [done, refused, began] = [0, 0, 0];
  let stop = () => Promise.resolve();
  const ms = await new Promise<number>((finished) => {
    stop = startLogins(server, clients, (status) => {
      if (done === before + amount) return;
      if (status !== 200) refused += done < before ? 0 : 1;
      else if (++done === before) began = performance.now();
      else if (done === before + amount) finished(performance.now() - began);
    });
  });
  await stop();
  return { perSecond: (amount / ms) * 1000, refused: (refused / ms) * 1000 };
}

/** Hashes a second of as many processes at once. */
async function hashes(plan: Plan, processes: number): Promise<Logins> {
  // For as long as the logins that are compared with it.
  const count = plan.quick ? 3 : 24;
  const args = ['dist/bench/bcrypt-time.js', String(plan.cost), String(count)];
  const outputs = await Promise.all(
    Array.from({ length: processes }, () => promisify(execFile)(process.execPath, args)),
  );
  const rates = outputs.map(({ stdout }) => 1000 / Number(stdout));
  return { perSecond: rates.reduce((sum, rate) => sum + rate, 0), refused: 0 };
}
