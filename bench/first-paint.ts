import { existsSync } from 'node:fs';
import { chromium, type Page } from 'playwright-core';

const chosen = [process.env.TEST_CHROMIUM ?? '', '/usr/bin/chromium'].find(existsSync);

/** Milliseconds from the click to the first and the largest paint (W3C Paint Timing), one of each for a load. */
export interface Paints {
  first: number[];
  largest: number[];
}

/**
 * Loads a page again and again in one tab of Chromium, once with an empty cache of files and once with a full one.
 *
 * @returns undefined if there is no Chromium
 */
export async function paintsOf(
  url: string,
  loads: number,
): Promise<Record<'empty' | 'full', Paints> | undefined> {
  if (chosen === undefined) return undefined;
  const browser = await chromium.launch({
    executablePath: chosen,
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  });
  try {
    const page = await browser.newPage();
    const devtools = await page.context().newCDPSession(page);
    await devtools.send('Network.enable');
    const paints = { empty: noPaints(), full: noPaints() };
    // The first loads start processes of the browser.
    for (let load = -2; load < loads; load++) {
      for (const cache of ['empty', 'full'] as const) {
        await devtools.send('Network.setCacheDisabled', { cacheDisabled: cache === 'empty' });
        const [first, largest] = await paintOf(page, url);
        if (load < 0) continue;
        paints[cache].first.push(first);
        paints[cache].largest.push(largest);
      }
    }
    return paints;
  } finally {
    await browser.close();
  }
}

const noPaints = (): Paints => ({ first: [], largest: [] });

/** Loads a page. Resolves to the times of its first and its largest paint. */
async function paintOf(page: Page, url: string): Promise<[first: number, largest: number]> {
  await page.goto(url);
  return page.evaluate(
    () =>
      new Promise((resolve) => {
        new PerformanceObserver((list) => {
          const first = performance.getEntriesByName('first-contentful-paint')[0];
          resolve([first?.startTime ?? NaN, list.getEntries().at(-1)?.startTime ?? NaN]);
        }).observe({ type: 'largest-contentful-paint', buffered: true });
      }),
  );
}
