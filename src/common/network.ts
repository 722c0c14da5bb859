import { BlockList, isIP, SocketAddress } from 'node:net';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8);
loopback.addAddress('::1', 'ipv6');

/** The networks that the internet does not route (RFC 6890). */
const local = new BlockList();
for (const network of [
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '169.254.0.0/16',
  '100.64.0.0/10',
]) {
  const [address = '', prefix] = network.split('/');
  local.addSubnet(address, Number(prefix));
}
local.addSubnet('fc00::', 7, 'ipv6');
local.addSubnet('fe80::', 10, 'ipv6');

/**
 * Returns an address in its canonical form. An IPv4 address that is mapped into IPv6 (RFC 4291, section
 * 2.5.5.2) becomes IPv4. IPv6 is written by RFC 5952. Port, brackets and zone, which proxies leave on it, are
 * removed. Undefined if `text` is no address.
 */
export function canonicalAddress(text: string): string | undefined {
  const withPort =
    /^([\d.]+):\d{1,5}$/.exec(text) ?? /^\[([^\]]*)\](?::\d{1,5})?$/.exec(text) ?? [];
  const [, host = text] = withPort;
  if (isIP(host) === 4) return host;
  const [address = ''] = host.split('%');
  if (isIP(address) !== 6) return undefined;
  const short = new SocketAddress({ address, family: 'ipv6' }).address;
  return /(?<=^::ffff:)[\d.]+$/.exec(short)?.[0] ?? short;
}

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
  const [left = '', right = ''] = address.split('::');
  const head = left.split(':').filter(Boolean);
  const tail = right.split(':').filter(Boolean);
  const zeros = Array<string>(8 - head.length - tail.length).fill('0');
  return `${[...head, ...zeros, ...tail].slice(0, 4).join(':')}::/64`;
}

/** Tells whether `text` is a loopback address of this machine. */
export function isLoopback(text: string): boolean {
  const address = canonicalAddress(text);
  if (address === undefined) return false;
  return loopback.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6');
}

/** Returns whether `host`, from a URL or a setting, names this machine: `localhost` or a loopback address. */
export const isLoopbackHost = (host: string): boolean =>
  host.toLowerCase() === 'localhost' || isLoopback(host);

/** Returns whether `text` is an address, or a network such as `10.0.0.0/8`, but not the network of all addresses. */
export function isNetwork(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/');
  const family = isIP(address);
  if (family === 0 || more.length > 0) return false;
  return (
    bits === undefined || (/^[1-9]\d{0,2}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128))
  );
}

/** Tells whether `text` is an address of this machine, or of a network that the internet does not route. */
export function isLocal(text: string): boolean {
  const address = canonicalAddress(text);
  if (address === undefined) return false;
  return isLoopback(address) || local.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6');
}

/**
 * Returns whether `host`, from a URL, is on a private network: a local address, `localhost`, a name without a
 * dot, such as that of a container, or a name below `.internal` (ICANN) or `.local` (RFC 6762).
 */
export const isPrivateHost = (host: string): boolean =>
  isLocal(host) || /^[\w-]+$/.test(host) || /\.(internal|local)\.?$/i.test(host);
