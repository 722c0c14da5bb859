import { AuditEvent } from '../../src/audit/audit-event.entity.js';
import { FailedLogins } from '../../src/audit/failed-logins.js';
import { person } from './admins.js';
import { bearer } from './http.js';
import type { Server } from './server.js';

/** A row of the audit as the API shows it. */
export interface ShownEvent {
  id: string;
  at: string;
  action: string;
  subject: string | null;
  actor: string | null;
  [key: string]: unknown;
}

/** An administrator who reads the audit of a server. */
export type AuditReader = Awaited<ReturnType<typeof auditReader>>;

export async function auditReader(server: Server) {
  const { jwt } = await person(server, 'Boss', ['admin']);
  const page = async (query: string) => {
    const response = await server.get(`/audit?${query}`, bearer(jwt));
    expect(response.status).toBe(200);
    return response.body as { events: ShownEvent[]; next: string | null };
  };
  return {
    authorization: bearer(jwt),
    page,

    /** The events of a user, the oldest first. Failed logins that wait are written before. */
    async eventsOf(id: string) {
      await server.app.get(FailedLogins, { strict: false }).write();
      return (await page(`subject=${id}`)).events.reverse();
    },

    /** Every value that the audit has stored, as one text. */
    stored: () =>
      server.withDatabase(async (db) => JSON.stringify(await db.getRepository(AuditEvent).find())),
  };
}
