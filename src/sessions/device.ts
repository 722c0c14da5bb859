import bowser from 'bowser';

/** Describes a device by its `User-Agent`: `Firefox on Windows`, `Unknown device`. */
export function describeDevice(userAgent: string): string {
  if (userAgent === '') return UNKNOWN;
  const { browser, os } = bowser.parse(userAgent);
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
  const { browser, os } = bowser.parse(userAgent);
  return [browser.name, os.name].filter((name) => KNOWN.has(name)).join(', ');
}

const KNOWN: ReadonlySet<string | undefined> = new Set([
  ...Object.values(bowser.BROWSER_MAP),
  ...Object.values(bowser.OS_MAP),
]);

const UNKNOWN = 'Unknown device';
