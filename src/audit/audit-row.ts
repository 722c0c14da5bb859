import { clock } from '../common/clock.js';
import type { RequestContext } from '../common/request-context.js';
import { uuidV7 } from '../common/uuid.js';
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
  // uuid keeps such a counter only for its own clock, and these ids follow the database's clock.
  counter = now === latest ? counter + 1 : 0;
  latest = now;
  return uuidV7({ msecs: now, seq: counter });
}
