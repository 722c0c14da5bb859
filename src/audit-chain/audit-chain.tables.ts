import type { Tables } from '../database/tables.js';
import { AuditChain1764100000001 } from './1764100000001-audit-chain.js';
import { AuditKey } from './audit-key.entity.js';
import { AuditMark } from './audit-mark.entity.js';

/** The tables of this room, and the migrations that make them. */
export const auditChainTables: Tables = {
  entities: [AuditKey, AuditMark],
  migrations: [AuditChain1764100000001],
};
