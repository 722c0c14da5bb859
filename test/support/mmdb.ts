/** A value of a database: a text, a number, or names with their values. */
type Value = string | number | { [name: string]: Value };

/** The numbers of types in the format. */
const [TEXT, UINT32, MAP] = [2, 6, 7];

/** Returns a value in the format of MMDB. Texts and maps have less than 285 bytes or entries. */
function encoded(value: Value): Buffer {
  if (typeof value === 'string')
    return withHead(TEXT, Buffer.byteLength(value), Buffer.from(value));
  if (typeof value === 'number') {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    return withHead(UINT32, 4, bytes);
  }
  const entries = Object.entries(value);
  return withHead(MAP, entries.length, ...entries.flat().map(encoded));
}

const withHead = (type: number, size: number, ...content: Buffer[]): Buffer =>
  Buffer.concat([
    Buffer.from(size < 29 ? [(type << 5) | size] : [(type << 5) | 29, size - 29]),
    ...content,
  ]);

/** Returns the first bits of an address, most significant first. */
function bitsOf(network: string): number[] {
  const [address = '', length] = network.split('/');
  const bytes = address.includes(':')
    ? // Each group is written out, as in 2001:db8:0:0:0:0:0:0.
      address.split(':').flatMap((group) => [parseInt(group, 16) >> 8, parseInt(group, 16) & 255])
    : address.split('.').map(Number);
  const bits = bytes.flatMap((byte) => [...byte.toString(2).padStart(8, '0')].map(Number));
  return bits.slice(0, Number(length));
}

/**
 * Makes a database in the format of MMDB (https://maxmind.github.io/MaxMind-DB/), with 24 bits a record.
 *
 * @param records the records by networks, such as `203.0.113.0/24`
 */
export function mmdbFile(
  records: Record<string, Value>,
  { type = 'GeoLite2-City', version = 6 }: { type?: string; version?: 4 | 6 } = {},
): Buffer {
  const nodes: (number | undefined)[][] = [[]];
  const leaves: { node: number; bit: number; at: number }[] = [];
  const data: Buffer[] = [];
  let size = 0;
  for (const [network, record] of Object.entries(records)) {
    // A database of IPv6 has IPv4 addresses in ::/96.
    const before = version === 6 && !network.includes(':') ? new Array<number>(96).fill(0) : [];
    const bits = [...before, ...bitsOf(network)];
    const last = bits.pop() ?? 0;
    let node = 0;
    for (const bit of bits) {
      const slots = nodes[node] ?? [];
      node = slots[bit] ??= nodes.push([]) - 1;
    }
    leaves.push({ node, bit: last, at: size });
    const bytes = encoded(record);
    data.push(bytes);
    size += bytes.length;
  }
  const tree = Buffer.alloc(nodes.length * 6);
  const write = (node: number, bit: number, value: number) =>
    tree.writeUIntBE(value, node * 6 + bit * 3, 3);
  for (const [node, slots] of nodes.entries()) {
    // The number of nodes says that an address is unknown.
    for (const bit of [0, 1]) write(node, bit, slots[bit] ?? nodes.length);
  }
  for (const { node, bit, at } of leaves) write(node, bit, nodes.length + 16 + at);
  const about = {
    binary_format_major_version: 2,
    binary_format_minor_version: 0,
    build_epoch: 1,
    database_type: type,
    ip_version: version,
    node_count: nodes.length,
    record_size: 24,
  };
  return Buffer.concat([
    tree,
    Buffer.alloc(16),
    ...data,
    Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1'),
    encoded(about),
  ]);
}
