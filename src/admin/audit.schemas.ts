import { z } from 'zod';
import { AUDIT_ACTIONS, OWN_ACTION } from '../audit/audit-entry.js';
import type { AuditEvent } from '../audit/audit-event.entity.js';
import type { AuditPosition } from '../audit/audit-log.js';

const MAX_LIMIT = 100;
const limitError = { error: `The limit is a whole number from 1 to ${MAX_LIMIT}` };

const actionError = { error: 'There is no such action' };

const id = (name: string) => z.uuid({ error: `The ${name} is the id of a user` }).optional();
const time = (name: string) =>
  z.iso
    .datetime({ offset: true, error: `The ${name} is a time such as 2026-01-31T12:00:00Z` })
    .transform((text) => new Date(text))
    .optional();

/** Query of `GET /audit`. */
export const auditQuerySchema = z.object({
  subject: id('subject'),
  actor: id('actor'),
  action: z
    .union([z.enum(AUDIT_ACTIONS, actionError), z.string().regex(OWN_ACTION, actionError)])
    .optional(),
  from: time('from'),
  to: time('to'),
  limit: z
    .string(limitError)
    .regex(/^\d{1,3}$/, { ...limitError, abort: true })
    .transform(Number)
    .pipe(z.int().min(1, limitError).max(MAX_LIMIT, limitError))
    .prefault('50'),
  cursor: z
    .string({ error: 'The cursor is the `next` of a page' })
    .transform((text, ctx): AuditPosition => {
      const [, at, last] = /^(\d{1,15})\.([0-9a-f-]{36})$/.exec(text) ?? [];
      if (at !== undefined && last !== undefined) return { at: Number(at), id: last };
      ctx.addIssue('The cursor is the `next` of a page');
      return z.NEVER;
    })
    .optional(),
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
export const cursorAfter = ({ createdAt, id: eventId }: AuditEvent): string =>
  `${createdAt.getTime()}.${eventId}`;
