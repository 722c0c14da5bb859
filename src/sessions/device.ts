import bowser from 'bowser';

/** Describes a device by its `User-Agent`: `Firefox on Windows`, `Unknown device`. */
export function describeDevice(userAgent: string): string {
  if (userAgent === '') return UNKNOWN;
  const { browser, os } = bowser.parse(userAgent);
  const names = [browser.name, os.name].filter(Boolean);
  return names.join(' on ') || UNKNOWN;
}

const UNKNOWN = 'Unknown device';
