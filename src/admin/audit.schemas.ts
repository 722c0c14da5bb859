import { z } from 'zod';
import { AUDIT_ACTIONS, OWN_ACTION } from '../audit/audit-entry.js';
import type { AuditEvent } from '../audit/audit-event.entity.js';
import { timePositionOf, writeCursor } from '../common/list-cursor.js';
import { pageParameters, timeParameter } from './list.schemas.js';

const actionError = { error: 'There is no such action' };

const id = (name: string) => z.uuid({ error: `The ${name} is the id of a user` }).optional();

/** Query of `GET /audit`. */
export const auditQuerySchema = z.object({
  subject: id('subject'),
  actor: id('actor'),
  action: z
    .union([z.enum(AUDIT_ACTIONS, actionError), z.string().regex(OWN_ACTION, actionError)])
    .optional(),
  from: timeParameter('from').optional(),
  to: timeParameter('to').optional(),
  ...pageParameters,
});

/** One row of the audit. */
export const auditEventSchema = z
  .object({
    id: z.uuid(),
    at: z.string().meta({ format: 'date-time' }),
    action: z.string(),
    subject: z.string().nullable().describe('The user it concerns'),
    actor: z.string().nullable().describe('The user who did it'),
    impersonator: z.string().nullable().describe('Who acted in the name of the actor'),
    source: z.string().describe('request, cli or server'),
    address: z.string().nullable(),
    userAgent: z.string().nullable(),
    requestId: z.string().nullable(),
    details: z.record(z.string(), z.unknown()),
    seq: z.int().nullable().describe('Its place in the chain; null for a moment'),
  })
  .meta({ title: 'AuditEvent' });

/** Answer of `GET /audit`. */
export const auditPageSchema = z
  .object({
    events: z.array(auditEventSchema),
    next: z.string().nullable().describe('The cursor of the next page; null on the last'),
  })
  .meta({ title: 'AuditPage' });

export type AuditQuery = z.infer<typeof auditQuerySchema>;
export type AuditPage = z.infer<typeof auditPageSchema>;

/** Returns a row in the form of the API. */
export function eventView(event: AuditEvent): AuditPage['events'][number] {
  const { id: eventId, createdAt, action, subjectId, actorId, impersonatorId } = event;
  const { source, address, userAgent, requestId, details, seq } = event;
  return {
    id: eventId,
    at: createdAt.toISOString(),
    action,
    subject: subjectId,
    actor: actorId,
    impersonator: impersonatorId,
    source,
    address,
    userAgent,
    requestId,
    details: details === null ? {} : (JSON.parse(details) as Record<string, unknown>),
    seq,
  };
}

/** Returns the cursor of the page after `event`. */
export const cursorAfter = (event: AuditEvent): string => writeCursor(timePositionOf(event));
