import { AuditEvent } from './audit-event.entity.js';

/** The tables of this room. The migration `initial` makes them. */
export const auditTables = { entities: [AuditEvent] };
