import { createHash, randomBytes } from 'node:crypto';
import { clock } from '../common/clock.js';
import type { RequestContext } from '../common/request-context.js';
import type { AuditEntry } from './audit-entry.js';
import type { AuditEvent } from './audit-event.entity.js';
import type { AuditMacs, MacFault } from './audit-macs.js';

/** The most a row's details may take, in characters of JSON. */
const MAX_DETAILS_LENGTH = 16_000;

/** A row as it is written, not yet sealed. */
export function auditRow(
  macs: AuditMacs,
  { action, subjectId, actorId, details }: AuditEntry,
  context: Readonly<RequestContext>,
  createdAt = clock.date(),
): AuditEvent {
  const { address, userAgent } = context;
  const text = details ? JSON.stringify(details).toWellFormed() : null;
  if (text && text.length > MAX_DETAILS_LENGTH) throw new Error(`Too many details of ${action}`);
  const originSalt = (address ?? userAgent) ? randomBytes(16).toString('base64url') : null;
  const origin = { address, userAgent, originSalt };
  const row = {
    id: timeOrderedId(createdAt.getTime()),
    createdAt,
    action,
    subjectId,
    actorId: actorId === undefined ? context.actorId : actorId,
    impersonatorId: context.impersonatorId,
    source: context.source,
    requestId: context.requestId,
    details: text,
    ...origin,
    originDigest: digestOf(origin),
    seq: null,
    hash: null,
  };
  return { ...row, mac: macs.make('row', contentOf(row)) };
}

/** What is wrong with a row by itself, wherever it stands in the chain; undefined if nothing is. */
export function rowFault(macs: AuditMacs, row: AuditEvent): MacFault | undefined {
  return macs.faultOf(row.mac, 'row', contentOf(row)) ?? (originFits(row) ? undefined : 'bad');
}

/** Whether the origin of a row was emptied; its owner has to have been deleted. */
export const isEmptied = (row: AuditEvent): boolean =>
  row.originDigest !== '' && row.originSalt === null;

/** With whom the origin of a row goes: who did it, or acted as that user; else whom it concerns. */
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

function contentOf(row: Omit<AuditEvent, 'mac'>): unknown[] {
  const { id, createdAt, action, subjectId, actorId, impersonatorId } = row;
  const { source, requestId, details, originDigest } = row;
  const what = [id, createdAt.getTime(), action, subjectId, actorId, impersonatorId];
  return [...what, source, requestId, details, originDigest];
}

let latest = 0;
let counter = 0;

/** A UUID of version 7 (RFC 9562, section 5.7): of one process, those of one millisecond are in order. */
function timeOrderedId(now: number): string {
  counter = now === latest ? (counter + 1) & 0xfff : 0;
  latest = now;
  const hex = now.toString(16).padStart(12, '0');
  const [a = 0, ...rest] = randomBytes(8);
  const random = Buffer.from([(a & 0x3f) | 0x80, ...rest]).toString('hex');
  const order = counter.toString(16).padStart(3, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7${order}-${random.slice(0, 4)}-${random.slice(4)}`;
}
