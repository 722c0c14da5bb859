import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';

const { resolve } = createRequire(import.meta.url);
const AXE = readFileSync(resolve('axe-core/axe.min.js'), 'utf8');

/** The rules of WCAG 2.2 AA, and axe's own advice. */
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** Starts the browser of the machine, without its own traffic, and with further arguments. */
export const openBrowser = (...args: string[]): Promise<Browser> =>
  chromium.launch({
    executablePath: process.env.TEST_CHROMIUM,
    args: [
      ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync'],
      ...['--disable-background-networking', '--disable-component-update'],
      ...args,
    ],
  });

/** Notes everything that pages of a context write to the console, policy violations among them. */
export function watch(context: BrowserContext): string[] {
  const said: string[] = [];
  context.on('console', (message) => said.push(`${message.type()}: ${message.text()}`));
  context.on('weberror', (error) => said.push(String(error.error())));
  return said;
}

/**
 * Returns the faults of the page that is shown: those of axe, a content that is wider than the window, fields that
 * a password manager cannot fill, and a second heading of the first level.
 */
export async function faultsOf(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  const found = await page.evaluate(async (rules) => {
    const { axe } = globalThis as unknown as {
      axe: {
        run: (
          of: Document,
          options: object,
        ) => Promise<{ violations: { id: string; nodes: { html: string }[] }[] }>;
      };
    };
    const { violations } = await axe.run(document, { runOnly: rules });
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
  }, RULES);
  const own = await page.evaluate(() => {
    const faults: string[] = [];
    if (document.querySelectorAll('h1').length !== 1) faults.push('not one h1');
    if (document.querySelector('[style],style,script:not([src]),[onclick]')) faults.push('inline');
    const ids = [...document.querySelectorAll('[id]')].map(({ id }) => id);
    if (new Set(ids).size < ids.length) faults.push('an id twice');
    const unnamed = 'input:not([type=hidden],[type=checkbox],[type=radio],[autocomplete])';
    for (const field of document.querySelectorAll(unnamed)) faults.push(field.outerHTML);
    return faults;
  });
  return [...found, ...(await tooWide(page)), ...own];
}

/** Returns whether the page that is shown is wider than its window. */
export const tooWide = (page: Page): Promise<string[]> =>
  page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    return scrollWidth > clientWidth ? [`${scrollWidth} px wide in ${clientWidth} px`] : [];
  });
