import type { EntityManager } from 'typeorm';
import type { AuditEvent } from '../audit/audit-event.entity.js';
import type { AuditMacs } from './audit-macs.js';
import { AuditMark, type MarkName } from './audit-mark.entity.js';
import { rowFault } from './row-mac.js';

/** A place in the chain: a row's number and the hash up to it. */
export interface Link {
  seq: number;
  hash: string;
}

/** The place before the first row. */
export const CHAIN_START: Link = { seq: 0, hash: '' };

/** The error for a chain that an outsider changed. The message says where. */
export class ChainBroken extends Error {
  override readonly name = 'ChainBroken';
}

/** Returns the parts of the hash after `before`. `mac` belongs to the row. */
export const linkParts = ({ seq, hash }: Link, mac: string): unknown[] => [seq + 1, hash, mac];

/** Tells whether a row has its place in the chain. */
export const isSealed = (row: AuditEvent): row is AuditEvent & Link =>
  row.seq !== null && row.hash !== null;

/**
 * Returns the fault of a row that should follow `before`. If its key does not open, the row is `unchecked`,
 * which is not the same as good. After the mark `rekeyed`, a link by such a key is a fault, and so is a row
 * by an unknown key: this server made neither.
 */
export function linkFault(
  macs: AuditMacs,
  before: Link,
  row: AuditEvent & Link,
  rekeyed: Link,
): 'changed' | 'out_of_place' | 'unchecked' | undefined {
  const content = rowFault(macs, row);
  if (content === 'bad') return 'changed';
  const link = macs.faultOf(row.hash, 'link', linkParts(before, row.mac));
  if (link === 'bad' || (link && row.seq > rekeyed.seq)) return 'out_of_place';
  if (content && row.seq > rekeyed.seq && !macs.isClosed(row.mac)) return 'out_of_place';
  return (content ?? link) && 'unchecked';
}

/**
 * Returns the marks.
 *
 * @throws ChainBroken if one is missing, or this server did not write it
 */
export async function readMarks(
  manager: EntityManager,
  macs: AuditMacs,
): Promise<{ start: Link; head: Link; rekeyed: Link }> {
  const marks = await manager.find(AuditMark);
  const read = (name: MarkName): Link => {
    const mark = marks.find((one) => one.name === name);
    if (!mark) throw new ChainBroken(`its mark ${name} is missing`);
    const { seq, hash, mac } = mark;
    const fault = macs.faultOf(mac, name, [seq, hash]);
    if (fault === 'bad') throw new ChainBroken(`its mark ${name} was changed`);
    if (fault) throw new ChainBroken(`no secret here decrypts the key of its mark ${name}`);
    return { seq, hash };
  };
  return { start: read('start'), head: read('head'), rekeyed: read('rekeyed') };
}

/** Moves a mark. */
export async function writeMark(
  manager: EntityManager,
  macs: AuditMacs,
  name: MarkName,
  { seq, hash }: Link,
): Promise<void> {
  const mac = macs.make(name, [seq, hash]);
  await manager.upsert(AuditMark, { name, seq, hash, mac }, ['name']);
}
