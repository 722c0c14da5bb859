import { gzipSync } from 'node:zlib';
import { paintsOf } from '../first-paint.js';
import { interleave, measure, median, middle, type Plan, ratio } from '../measure.js';
import { digits, type Section } from '../report.js';
import { Stage } from '../stage.js';

const CONNECTIONS = 32;

/**
 * Measures the page to sign in: how many a second, their cost, the bytes that a browser loads for one, and the time
 * until it is painted.
 */
export async function pages(plan: Plan): Promise<Section> {
  const stage = new Stage(plan.cost);
  try {
    const server = await stage.latchkey('Latchkey', { PAGES: 'on' });
    const load = { connections: CONNECTIONS, seconds: plan.seconds, awake: true };
    const variants = {
      '/health/live': () => measure(server, { ...load, path: '/health/live' }),
      '/sign-in': () => measure(server, { ...load, path: '/sign-in' }),
    };
    await interleave(1, variants);
    const rates = await interleave(plan.rounds, variants);
    const perSecond = (name: keyof typeof rates) => rates[name].map((rate) => rate.perSecond);
    const cpu = middle(rates['/sign-in'], 'cpu') / 1_000;
    const weight = await weightOf(server.url);
    const paints = await paintsOf(`${server.url}/sign-in`, plan.quick ? 5 : 25);
    const painted = Object.entries(paints?.page ?? {});
    const words = Object.entries(paints?.word ?? {});
    const rows = Object.entries(rates).map(([name, rounds]) => [
      name,
      ...(['perSecond', 'p99', 'cpu'] as const).map((figure) => digits(middle(rounds, figure))),
    ]);
    return {
      title: 'The pages',
      text:
        `The page to sign in beside the cheapest route, ${CONNECTIONS} connections. _CPU_ is the processor time ` +
        'of the server for a request, all threads together. The weight is that of the page, its stylesheet and ' +
        'its modules, compressed by gzip. A _paint_ is the median time, in milliseconds, from the start of a load ' +
        'in Chromium to the first paint with content and to the largest one. The _cache_ is the one of its files. ' +
        'A _document of one word_ with the same headers, loaded in turn with the page, shows what this machine ' +
        'takes for any page.',
      columns: ['', 'requests/s', 'p99 ms', 'CPU µs'],
      rows: [
        ...rows,
        [`weight ${digits(weight / 1_000)} kB`, '', '', ''],
        ...painted.map(([cache, { first, largest }]) => {
          const times = [first, largest].map((all) => digits(median(all)));
          return [`paint, ${cache} cache: first ${times.join(' ms, largest ')} ms`, '', '', ''];
        }),
        ...words.map(([cache, { first }]) => {
          const time = digits(median(first));
          return [`paint of a document of one word, ${cache} cache: ${time} ms`, '', '', ''];
        }),
      ],
      targets: [
        {
          what: 'Pages to sign in a second, to /health/live',
          measured: ratio(perSecond('/sign-in'), perSecond('/health/live')),
          atLeast: 0.2,
          unit: ' ×',
        },
        { what: 'Processor time of a page to sign in', measured: cpu, atMost: 1, unit: ' ms' },
        {
          what: 'Weight of the page to sign in',
          measured: weight / 1_000,
          atMost: 30,
          unit: ' kB',
        },
        ...painted.map(([cache, { first }]) => ({
          what: `First paint of the page to sign in, ${cache} cache`,
          measured: median(first),
          atMost: 100,
          unit: ' ms',
        })),
      ],
    };
  } finally {
    await stage.close();
  }
}

/** Returns the compressed bytes of the page to sign in and of the files that it names. */
async function weightOf(url: string): Promise<number> {
  const page = await (await fetch(`${url}/sign-in`)).text();
  const files = [...page.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(
    ([, path = '']) => path,
  );
  const texts = await Promise.all(files.map(async (path) => (await fetch(url + path)).text()));
  return [page, ...texts].reduce((sum, text) => sum + gzipSync(text).length, 0);
}
