import { BlockList, isIP, SocketAddress } from 'node:net';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8);
loopback.addAddress('::1', 'ipv6');

/**
 * What a client's address counts as: IPv4 whole, also where it is mapped into IPv6 (RFC 4291, section
 * 2.5.5.2), and of IPv6 the first 64 bits, for a client may pick the others (section 2.5.4). A port
 * that a proxy left at the end is cut off. Undefined where `text` is no address.
 */
export function networkOf(text: string): string | undefined {
  const address = bare(text);
  if (isIP(address) === 4) return address;
  if (isIP(address) !== 6) return undefined;
  const [mapped] = /(?<=^::ffff:)[\d.]+$/.exec(address) ?? [];
  if (mapped) return mapped;
  const [left = '', right = ''] = address.split('::');
  const head = left.split(':').filter(Boolean);
  const tail = right.split(':').filter(Boolean);
  const zeros = Array<string>(8 - head.length - tail.length).fill('0');
  return `${[...head, ...zeros, ...tail].slice(0, 4).join(':')}::/64`;
}

/** Whether `text` is an address of this very machine. */
export function isLoopback(text: string): boolean {
  const address = bare(text);
  const family = isIP(address);
  return family !== 0 && loopback.check(address, family === 4 ? 'ipv4' : 'ipv6');
}

/** An address without port, brackets and zone, IPv6 in the form of RFC 5952. */
function bare(text: string): string {
  const [, host = text] = /^([\d.]+):\d+$/.exec(text) ?? /^\[([^\]]*)\](?::\d+)?$/.exec(text) ?? [];
  const [address = ''] = host.split('%');
  if (isIP(address) !== 6) return address;
  return new SocketAddress({ address, family: 'ipv6' }).address;
}
