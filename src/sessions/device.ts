import { lazyPackage } from '../common/lazy-package.js';

const bowser = lazyPackage('bowser') as () => typeof import('bowser');

/** Describes a device by its `User-Agent`: `Firefox on Windows`, `Unknown device`. */
export function describeDevice(userAgent: string): string {
  if (userAgent === '') return UNKNOWN;
  const { browser, os } = bowser().parse(userAgent);
  const names = [browser.name, os.name].filter(Boolean);
  return names.join(' on ') || UNKNOWN;
}

/**
 * Describes a device for a mail or page that another person reads: `Firefox, Windows`, the same in every
 * language. The names are from a closed list, because the sender of a `User-Agent` chooses its text. Empty if
 * none is known.
 */
export function knownDevice(userAgent: string): string {
  if (userAgent === '') return '';
  const { BROWSER_MAP, OS_MAP, parse } = bowser();
  known ??= new Set([...Object.values(BROWSER_MAP), ...Object.values(OS_MAP)]);
  const { browser, os } = parse(userAgent);
  return [browser.name, os.name].filter((name) => name && known?.has(name)).join(', ');
}

let known: ReadonlySet<string> | undefined;

const UNKNOWN = 'Unknown device';
