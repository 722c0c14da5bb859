import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** Ranges of ipaddr.js that the internet does not route (RFC 6890). */
const LOCAL_RANGES: ReadonlySet<string> = new Set([
  'loopback',
  'private',
  'linkLocal',
  'carrierGradeNat',
  'uniqueLocal',
]);

/**
 * Returns an address in its canonical form. An IPv4 address that is mapped into IPv6 (RFC 4291, section
 * 2.5.5.2) becomes IPv4. IPv6 is written by RFC 5952. Port, brackets and zone, which proxies leave on it, are
 * removed. Undefined if `text` is no address.
 */
export function canonicalAddress(text: string): string | undefined {
  const withPort =
    /^([\d.]+):\d{1,5}$/.exec(text) ?? /^\[([^\]]*)\](?::\d{1,5})?$/.exec(text) ?? [];
  const [, host = text] = withPort;
  // Node decides what an address is: ipaddr.js also takes 010.0.0.1, as an octal number.
  if (isIP(host) === 4) return host;
  const [address = ''] = host.split('%');
  if (isIP(address) !== 6) return undefined;
  return textOf(ipaddr.process(address));
}

const textOf = (address: ipaddr.IPv4 | ipaddr.IPv6): string =>
  'toRFC5952String' in address ? address.toRFC5952String() : address.toString();

/**
 * Returns the addresses of an `X-Forwarded-For`, each in its canonical form. Each proxy adds the address of
 * its own client at the end, so an entry that is no address makes all entries before it worthless.
 */
export function forwardedAddresses(header: string): string[] {
  const entries = header
    .split(',')
    .map((entry) => entry.trim())
    .filter(Boolean);
  const addresses = entries.map(canonicalAddress);
  const known = addresses.slice(addresses.lastIndexOf(undefined) + 1);
  return known.filter((address) => address !== undefined);
}

/**
 * Returns the network by which an address counts for limits. An IPv4 address counts whole. An IPv6 address
 * counts by its first 64 bits, because a client may choose the others (RFC 4291, section 2.5.4). Undefined if
 * `text` is no address.
 */
export function networkOf(text: string): string | undefined {
  const address = canonicalAddress(text);
  if (address === undefined || isIP(address) === 4) return address;
  const parts = ipaddr.IPv6.parse(address).parts.slice(0, 4);
  return `${parts.map((part) => part.toString(16)).join(':')}::/64`;
}

/** Returns the range of an address by RFC 6890, such as `private`; undefined if `text` is no address. */
function rangeOf(text: string): string | undefined {
  const address = canonicalAddress(text);
  return address === undefined ? undefined : ipaddr.parse(address).range();
}

/** Tells whether `text` is a loopback address of this machine. */
export function isLoopback(text: string): boolean {
  return rangeOf(text) === 'loopback';
}

/** Returns whether `host`, from a URL or a setting, names this machine: `localhost` or a loopback address. */
export const isLoopbackHost = (host: string): boolean =>
  host.toLowerCase() === 'localhost' || isLoopback(host);

/** Returns whether `text` is an address, or a network such as `10.0.0.0/8`, but not the network of all addresses. */
export function isNetwork(text: string): boolean {
  const [address = '', bits] = text.split('/');
  // Node refuses addresses such as 1.2.3, and ipaddr.js takes leading zeros in the number of bits.
  if (isIP(address) === 0) return false;
  return bits === undefined || (/^[1-9]/.test(bits) && ipaddr.isValidCIDR(text));
}

/** Tells whether `text` is an address of this machine, or of a network that the internet does not route. */
export function isLocal(text: string): boolean {
  return LOCAL_RANGES.has(rangeOf(text) ?? '');
}

/**
 * Returns whether `host`, from a URL, is on a private network: a local address, `localhost`, a name without a
 * dot, such as that of a container, or a name below `.internal` (ICANN) or `.local` (RFC 6762).
 */
export const isPrivateHost = (host: string): boolean =>
  isLocal(host) || /^[\w-]+$/.test(host) || /\.(internal|local)\.?$/i.test(host);
