import type { EntityManager } from 'typeorm';
import type { Keyring } from '../keys/keyring.js';
import { AuditKey } from './audit-key.entity.js';
import { AuditKeys } from './audit-keys.js';
import { AuditMark } from './audit-mark.entity.js';
import { ChainBroken, readMarks } from './chain.js';

/**
 * Returns the fault of the audit's keys and marks in a sentence; undefined if they are right, or do not exist
 * yet. It is quick, because only `verifyAudit` reads the rows.
 */
export async function auditFault(
  keyring: Keyring,
  manager: EntityManager,
): Promise<string | undefined> {
  const keys = await AuditKeys.read(keyring, manager);
  const [damaged] = keys.damaged;
  if (damaged !== undefined) return `its key ${damaged} was damaged`;
  if (!keys.macs.ready && (await manager.exists(AuditKey)))
    return 'no secret here decrypts its key';
  if (!keys.macs.ready && (await manager.exists(AuditMark))) return 'its keys are gone';
  if (!keys.macs.ready) return undefined;
  try {
    await readMarks(manager, keys.macs);
    return undefined;
  } catch (error) {
    if (error instanceof ChainBroken) return error.message;
    throw error;
  }
}
