import { AuditEvent } from '../../src/audit/audit-event.entity.js';
import { AuditSealer } from '../../src/audit-chain/audit-sealer.js';
import { verifyAudit, type VerifyOptions } from '../../src/audit-chain/verify.js';
import { Keyring } from '../../src/keys/keyring.js';
import { IsNull } from 'typeorm';
import type { Server } from './server.js';

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
