import type { AuditDetails } from '../audit/audit-entry.js';
import type { AuditEvent } from '../audit/audit-event.entity.js';
import type { AuditMacs, MacFault } from './audit-macs.js';
import type { AuditMark } from './audit-mark.entity.js';

/** Why the audit got a new key, after the first one. */
export type RekeyReason = 'damaged' | 'other_secret' | 'keys_removed' | 'emptied';

/** The same in words, for the log. */
export const REKEYED_BECAUSE: Record<RekeyReason, string> = {
  damaged: 'the stored one was damaged. The database was tampered with; see docs/audit.md',
  other_secret:
    'no secret here decrypts the stored one. If you did not replace the secret, the database was ' +
    'tampered with; see docs/audit.md',
  keys_removed:
    'the stored ones are gone, but its rows or marks are not. The database was tampered with; see ' +
    'docs/audit.md',
  emptied:
    'the whole audit is empty, although there are users. If you did not empty it, the database was ' +
    'tampered with; see docs/audit.md',
};

/** The marks whose MACs are kept: the start and the end of the chain. */
const KEPT = ['start', 'head'] as const;

/** Returns the details of the row about a new key: the reason, and the chain's ends with the old MACs. */
export function rekeyDetails(reason: RekeyReason, marks: AuditMark[]): AuditDetails {
  const kept = marks.map(({ name, seq, hash, mac }) => [name, `${seq}:${hash}:${mac}`]);
  return { reason, ...(Object.fromEntries(kept) as Record<string, string>) };
}

/**
 * Returns the fault of the chain's ends at the time of a new key. Undefined if the old key, which an old
 * secret opens, made their MACs.
 */
export function rekeyFault(macs: AuditMacs, { details }: AuditEvent): MacFault | undefined {
  const noted = JSON.parse(details ?? '{}') as Record<string, unknown>;
  const faults = KEPT.map((name) => {
    const text = noted[name];
    const [seq = '', hash = '', mac = ''] = typeof text === 'string' ? text.split(':') : [];
    return macs.faultOf(mac, name, [Number(seq), hash]);
  });
  return faults.find((fault) => fault === 'bad') ?? faults.find((fault) => fault !== undefined);
}
