import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { type EventOf, EventsService, type EventType } from '../common/events.service.js';
import type { AuditAction, AuditDetails, AuditEntry } from './audit-entry.js';
import { AuditService } from './audit.service.js';

/** Actions of their own for the ends of sessions that users or administrators ask for. */
const SESSION_ACTIONS: Record<string, AuditAction> = {
  logout: 'logout',
  ended_by_user: 'session_ended',
  too_many_sessions: 'session_ended',
  refresh_token_reused: 'refresh_reuse',
  ended_by_admin: 'sessions_revoked',
};

/** Records events in the audit: those of the core, and those that a capability adds by {@link record}. */
@Injectable()
export class AuditedEvents {
  constructor(
    private readonly events: EventsService,
    private readonly audit: AuditService,
  ) {
    this.record('user.created', ({ userId, registered }) =>
      // Nobody is signed in at a registration.
      registered
        ? [{ ...entry('registered', userId), actorId: userId }]
        : [entry('user_created', userId)],
    );
    this.record('user.profile_changed', ({ user, fields }) => [
      entry('user_updated', user.id, { changed: fields.join(' ') }),
    ]);
    this.record('user.roles_changed', ({ userId, roles }) => [
      entry('role_changed', userId, { roles: roles.join(' ') }),
    ]);
    this.record('user.disabled', ({ userId, until, isNew, endedSessions: sessions }) =>
      isNew
        ? [
            entry('user_disabled', userId, {
              sessions,
              ...(until && { until: until.toISOString() }),
            }),
          ]
        : [],
    );
    this.record('user.enabled', ({ userId }) => [entry('user_enabled', userId)]);
    this.record('user.verification_changed', ({ userId, verified }) => [
      entry('user_updated', userId, { verified }),
    ]);
    this.record('user.address_lost', ({ user, newHolderId: actorId }) => [
      // The new holder is the actor, so the loser's export shows neither address nor user agent of the request.
      { ...entry('email_lost', user.id), ...(actorId !== undefined && { actorId }) },
    ]);
    this.record('user.address_confirmed', ({ user, cause }) => {
      // The change of the password records an undone change too.
      if (cause === 'undone') return [];
      return [entry(cause === 'verified' ? 'email_verified' : 'email_changed', user.id)];
    });
    this.record('user.claimed', ({ user, endedSessions: sessions }) => [
      entry('password_changed', user.id, { claimed: true, sessions }),
    ]);
    this.record('password.changed', passwordEntries);
    this.record('factor.changed', ({ user, change, kind }) => [
      entry(`factor_${change}`, user.id, { kind }),
    ]);
    this.record('factors.reset', ({ user, kinds, endedSessions: sessions }) => [
      entry('factors_reset', user.id, { kind: kinds.join(' '), sessions }),
    ]);
    this.record('recovery_codes.changed', ({ user: { id }, change, left }) => [
      // A code may complete a sign-in, where no user is signed in yet.
      change === 'used'
        ? { ...entry('recovery_code_used', id, { left }), actorId: id }
        : entry('recovery_codes_made', id, { left }),
    ]);
    this.record('session.started', ({ userId, sessionId: session, amr }) => [
      { ...entry('login', userId, { session, amr: amr.join(' ') }), actorId: userId },
    ]);
    this.record('session.stepped_up', ({ userId, sessionId: session, amr }) => [
      entry('stepped_up', userId, { session, amr: amr.join(' ') }),
    ]);
    this.record('sessions.ended', sessionEntries);
    this.record('role.changed', ({ name: role, permissions }) => [
      entry('roles_changed', null, {
        role,
        ...(permissions ? { permissions: permissions.join(' ') } : { removed: true }),
      }),
    ]);
    this.record('user.deleted', ({ user }) => [entry('user_deleted', user.id)]);
    this.record('impersonation.started', ({ userId }) => [entry('impersonation_started', userId)]);
  }

  /**
   * Records each event of a type, by the rows that `entriesOf` returns for it. A capability calls this in the
   * constructor of its module.
   */
  record<T extends EventType>(type: T, entriesOf: (event: EventOf<T>) => AuditEntry[]): void {
    this.events.on(type, async (manager: EntityManager, event) => {
      for (const one of entriesOf(event)) await this.audit.record(manager, one);
    });
  }
}

function passwordEntries({
  user,
  cause,
  endedSessions,
}: EventOf<'password.changed'>): AuditEntry[] {
  const sessions = endedSessions;
  if (cause === 'changed') return [entry('password_changed', user.id, { sessions })];
  if (cause === 'reset') return [entry('password_reset', user.id, { sessions })];
  const details = { undone: true, sessions };
  return [entry('email_changed', user.id, details), entry('password_changed', user.id, details)];
}

/** No entry for sessions that end because of another change, whose entry counts them. */
function sessionEntries({ userId, ids, one, reason }: EventOf<'sessions.ended'>): AuditEntry[] {
  const action = SESSION_ACTIONS[reason];
  if (!action) return [];
  const which: AuditDetails = one ? { session: ids[0] ?? null } : { sessions: ids.length };
  return [entry(action, userId, { ...which, ...(reason === 'too_many_sessions' && { reason }) })];
}

const entry = (
  action: AuditAction,
  subjectId: string | null,
  details?: AuditDetails,
): AuditEntry => ({ action, subjectId, ...(details && { details }) });
