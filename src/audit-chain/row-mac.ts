import { createHash, randomBytes } from 'node:crypto';
import type { AuditEvent } from '../audit/audit-event.entity.js';
import type { AuditMacs, MacFault } from './audit-macs.js';

/** Returns a new row with its MAC and the digest of its origin. */
export function withMac(macs: AuditMacs, plain: AuditEvent): AuditEvent {
  const { address, userAgent } = plain;
  const originSalt = (address ?? userAgent) ? randomBytes(16).toString('base64url') : null;
  const row = { ...plain, originSalt, originDigest: digestOf({ address, userAgent, originSalt }) };
  return { ...row, mac: macs.make('row', contentOf(row)) };
}

/** Returns the fault of a row, apart from its place in the chain; undefined if the row is good. */
export function rowFault(macs: AuditMacs, row: AuditEvent): MacFault | undefined {
  return macs.faultOf(row.mac, 'row', contentOf(row)) ?? (originFits(row) ? undefined : 'bad');
}

/** Tells whether the origin of a row was emptied. This is right only if its owner was deleted. */
export const isEmptied = (row: AuditEvent): boolean =>
  row.originDigest !== '' && row.originSalt === null;

/**
 * Returns the users whose deletion must empty the row's address and user agent: the actor and the
 * impersonator, or the subject if there is no actor.
 */
export const ownersOf = ({ actorId, impersonatorId, subjectId }: AuditEvent): string[] =>
  [actorId ?? subjectId, impersonatorId].filter((id) => id !== null);

type Origin = Pick<AuditEvent, 'address' | 'userAgent' | 'originSalt'>;

function originFits(row: AuditEvent): boolean {
  const { address, userAgent } = row;
  if (isEmptied(row)) return address === null && userAgent === null;
  return digestOf(row) === row.originDigest;
}

function digestOf({ address, userAgent, originSalt }: Origin): string {
  if (originSalt === null && address === null && userAgent === null) return '';
  const text = JSON.stringify([originSalt, address, userAgent]);
  return createHash('sha256').update(text).digest('base64url');
}

function contentOf(row: AuditEvent): unknown[] {
  const { id, createdAt, action, subjectId, actorId, impersonatorId } = row;
  const { source, requestId, details, originDigest } = row;
  const what = [id, createdAt.getTime(), action, subjectId, actorId, impersonatorId];
  return [...what, source, requestId, details, originDigest];
}
