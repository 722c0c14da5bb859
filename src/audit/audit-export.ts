import type { EntityManager } from 'typeorm';
import type { AuditDetails } from './audit-entry.js';
import { AuditEvent } from './audit-event.entity.js';
import { onBehalfOfOthers } from './on-behalf.js';

/** The parts of an event that its user may see. */
export interface EventForUser extends Pick<AuditEvent, 'createdAt' | 'action' | 'source'> {
  ofThisUser: boolean;
  /** These three only if the user caused the event. */
  address?: string | null;
  userAgent?: string | null;
  requestId?: string | null;
  /** Only if the event concerns the user. */
  details?: AuditDetails;
}

/** Returns the rows of the audit that a user may see in the user's export. */
export async function exportEvents(manager: EntityManager, userId: string): Promise<object[]> {
  const events = await eventsOf(manager, userId);
  return events.map((event) => eventForUser(event, userId));
}

/** Returns the events that concern the user, and those that the user caused, also on behalf of others. */
async function eventsOf(manager: EntityManager, userId: string): Promise<AuditEvent[]> {
  const own = await manager.findBy(AuditEvent, [{ subjectId: userId }, { actorId: userId }]);
  const onBehalf = await manager.findBy(AuditEvent, await onBehalfOfOthers(manager, userId));
  const all = [...new Map([...own, ...onBehalf].map((event) => [event.id, event])).values()];
  return all.sort(
    (a, b) => a.createdAt.getTime() - b.createdAt.getTime() || (a.id < b.id ? -1 : 1),
  );
}

/**
 * Returns the parts of an event that the user may see. If another user caused it, request, address and user agent
 * are left out. If it concerns another user, the details are left out.
 */
export function eventForUser(event: AuditEvent, userId: string): EventForUser {
  const { createdAt, action, subjectId, actorId, impersonatorId, source } = event;
  const { requestId, address, userAgent, details } = event;
  const ofThisUser = subjectId === userId;
  const byThisUser = (impersonatorId ?? actorId ?? subjectId) === userId;
  return {
    createdAt,
    action,
    ofThisUser,
    source,
    ...(byThisUser && { address, userAgent, requestId }),
    ...(ofThisUser && { details: JSON.parse(details ?? '{}') as AuditDetails }),
  };
}
