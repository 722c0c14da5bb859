import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Browser, chromium, type Page } from 'playwright-core';

const chosen = [process.env.TEST_CHROMIUM ?? '', '/usr/bin/chromium'].find(existsSync);

/** Milliseconds from the click to the first and the largest paint (W3C Paint Timing), one of each for a load. */
export interface Paints {
  first: number[];
  largest: number[];
}

/** The paints of one page, with an empty cache of files and with a full one. */
type CachedPaints = Record<'empty' | 'full', Paints>;

/**
 * Loads a page again and again in a tab of Chromium, once with an empty cache of files and once with a full one. In
 * turn with it, loads a document of one word with the same headers in another tab: no page can be painted sooner on
 * this machine.
 *
 * @returns undefined if there is no Chromium
 */
export async function paintsOf(
  url: string,
  loads: number,
): Promise<{ page: CachedPaints; word: CachedPaints } | undefined> {
  if (chosen === undefined) return undefined;
  const words = await serveWord(url);
  const browser = await chromium.launch({
    executablePath: chosen,
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  });
  try {
    const page = await openTab(browser, url);
    const word = await openTab(browser, words.url);
    // The first loads start processes of the browser.
    for (let load = -2; load < loads; load++) {
      for (const tab of [page, word]) {
        for (const cache of ['empty', 'full'] as const) await tab.load(cache, load >= 0);
      }
    }
    return { page: page.paints, word: word.paints };
  } finally {
    await browser.close();
    words.server.close();
  }
}

/** Serves a document of one word, with the headers of the page at `url`. */
async function serveWord(url: string): Promise<{ server: Server; url: string }> {
  const headers = new Headers((await fetch(url)).headers);
  const unfit = ['connection', 'content-encoding', 'content-length', 'keep-alive', 'set-cookie'];
  for (const name of [...unfit, 'date', 'transfer-encoding']) headers.delete(name);
  const server = createServer((_request, response) => {
    response.setHeaders(headers).end('<!doctype html><title>A word</title><p>Hello');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` };
}

/** Opens a tab that loads `url`. */
async function openTab(browser: Browser, url: string) {
  const page = await browser.newPage();
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Network.enable');
  const paints: CachedPaints = { empty: noPaints(), full: noPaints() };
  const load = async (cache: keyof CachedPaints, isCounted: boolean) => {
    await devtools.send('Network.setCacheDisabled', { cacheDisabled: cache === 'empty' });
    const [first, largest] = await paintOf(page, url);
    if (!isCounted) return;
    paints[cache].first.push(first);
    paints[cache].largest.push(largest);
  };
  return { paints, load };
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
