import { AuditEvent } from '../../src/audit/audit-event.entity.js';
import { auditRow } from '../../src/audit/audit-row.js';
import { AuditService } from '../../src/audit/audit.service.js';
import { AuditSealer } from '../../src/audit-chain/audit-sealer.js';
import { verifyAudit, type VerifyOptions } from '../../src/audit-chain/verify.js';
import { currentContext } from '../../src/common/request-context.js';
import { Database } from '../../src/database/database.js';
import { Keyring } from '../../src/keys/keyring.js';
import { IsNull } from 'typeorm';
import type { Server } from './server.js';

/** Records `count` rows, as if `age` milliseconds ago. */
export async function record(server: Server, count: number, age = 0): Promise<void> {
  const at = new Date(Date.now() - age);
  const rows = Array.from({ length: count }, (_, i) => {
    const entry = { action: 'user_updated', subjectId: null, details: { i } } as const;
    return auditRow(entry, currentContext(), at);
  });
  await server.app
    .get(Database, { strict: false })
    .write((manager) => server.app.get(AuditService, { strict: false }).insert(manager, rows));
}

/** Records ten rows on a server without any, and gives them their places in the chain. */
export async function tenRows(server: Server): Promise<Server> {
  await record(server, 10);
  await sealAll(server);
  expect(await verify(server)).toMatchObject({ faults: [], rows: 10, first: 1, unsealed: 0 });
  return server;
}

/** Runs statements as somebody who has the database. */
export const alter = (server: Server, ...statements: string[]) =>
  server.withDatabase(async (db) => {
    for (const statement of statements) await db.query(statement);
  });

/** Waits until every row of the audit has its place in the chain. */
export async function sealAll(server: Server): Promise<void> {
  const unsealed = () =>
    server.withDatabase((db) => db.getRepository(AuditEvent).countBy({ seq: IsNull() }));
  // Another instance, or the server's own turn, may be at it.
  const sealer = server.app.get(AuditSealer, { strict: false });
  do await sealer.seal();
  while ((await unsealed()) > 0);
  // Which has seen that nothing is left.
  await sealer.seal();
}

/** Verifies a server's audit; also gives the faults, as they are worded. */
export async function verify(server: Server, options: Partial<VerifyOptions> = {}) {
  const faults: string[] = [];
  const found = await verifyAudit({
    url: server.config.databaseUrl,
    keyring: new Keyring(server.config),
    onFault: (fault) => faults.push(fault),
    ...options,
  });
  return { ...found, faults };
}
