import { randomBytes } from 'node:crypto';
import { clock } from '../common/clock.js';
import type { RequestContext } from '../common/request-context.js';
import type { AuditEntry } from './audit-entry.js';
import type { AuditEvent } from './audit-event.entity.js';

/** The length of a row's details, in characters of JSON. */
const MAX_DETAILS_LENGTH = 16_000;

/** Returns a new row, without the columns that an `AuditHook` fills. */
export function auditRow(
  { action, subjectId, actorId, details }: AuditEntry,
  context: Readonly<RequestContext>,
  createdAt = clock.date(),
): AuditEvent {
  const { address, userAgent } = context;
  const text = details ? JSON.stringify(details).toWellFormed() : null;
  if (text && text.length > MAX_DETAILS_LENGTH) throw new Error(`Too many details of ${action}`);
  return {
    id: timeOrderedId(createdAt.getTime()),
    createdAt,
    action,
    subjectId,
    actorId: actorId === undefined ? context.actorId : actorId,
    impersonatorId: context.impersonatorId,
    source: context.source,
    requestId: context.requestId,
    details: text,
    address,
    userAgent,
    originSalt: null,
    originDigest: '',
    mac: '',
    seq: null,
    hash: null,
  };
}

let latest = 0;
let counter = 0;

/** Returns a UUID of version 7 (RFC 9562, section 5.7). Those of one process and millisecond are in order. */
function timeOrderedId(now: number): string {
  counter = now === latest ? (counter + 1) & 0xfff : 0;
  latest = now;
  const hex = now.toString(16).padStart(12, '0');
  const [a = 0, ...rest] = randomBytes(8);
  const random = Buffer.from([(a & 0x3f) | 0x80, ...rest]).toString('hex');
  const order = counter.toString(16).padStart(3, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7${order}-${random.slice(0, 4)}-${random.slice(4)}`;
}
