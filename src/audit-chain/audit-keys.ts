import { randomBytes } from 'node:crypto';
import { Logger } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { clock } from '../common/clock.js';
import { currentContext } from '../common/request-context.js';
import type { Database } from '../database/database.js';
import type { Keyring } from '../keys/keyring.js';
import { openText, sealText } from '../keys/secret-box.js';
import { User } from '../users/user.entity.js';
import { AuditEvent } from '../audit/audit-event.entity.js';
import { lockAudit } from '../audit/audit-lock.js';
import { AuditKey } from './audit-key.entity.js';
import { AuditMacs } from './audit-macs.js';
import { AuditMark, type MarkName } from './audit-mark.entity.js';
import { auditRow } from '../audit/audit-row.js';
import { withMac } from './row-mac.js';
import { CHAIN_START, writeMark } from './chain.js';
import { REKEYED_BECAUSE, type RekeyReason, rekeyDetails } from './rekeying.js';

/** The purposes for deriving keys from the server's secret: one encrypts the keys, one makes check values. */
const PURPOSE = 'latchkey audit';
const CHECK_PURPOSE = 'latchkey audit check';

/** The context of the log lines, which commands print as well. */
export const AUDIT_LOG = 'Audit';

/** A stored key after an attempt to open it. */
interface TriedKey {
  key: AuditKey;
  /** Undefined if no secret here opens it. */
  text: string | undefined;
  /** Whether it is sealed, and its check value made, by the secret that signs now. */
  isCurrent: boolean;
  /** Whether its check value proves that a secret of this server sealed it. Such a key has to open. */
  isOurs: boolean;
}

/**
 * The keys of the audit's MACs. They are random, and stored encrypted under the server's secret. A rotation
 * of the secret encrypts them again, so old rows can still be verified. If a leaked secret was replaced at
 * once, no key opens, and the server makes a new one. The log and the audit say so, because a damaged
 * database looks nearly the same.
 */
export class AuditKeys {
  readonly macs = new AuditMacs();
  /** Keys that a secret of this server sealed and no longer opens. The database was changed. */
  readonly damaged = new Set<string>();

  private constructor(private readonly keyring: Keyring) {}

  /** Reads the stored keys, for verification only. */
  static async read(keyring: Keyring, manager: EntityManager): Promise<AuditKeys> {
    const keys = new AuditKeys(keyring);
    await keys.load(manager);
    return keys;
  }

  /** Opens the stored keys, and encrypts them under the present secret. Makes a new key if none opens. */
  static async open(keyring: Keyring, database: Database): Promise<AuditKeys> {
    const logger = new Logger(AUDIT_LOG);
    const [keys, reason] = await database.transaction(async (manager) => {
      await lockAudit(manager);
      const opened = new AuditKeys(keyring);
      const tried = await opened.load(manager);
      for (const { key, text, isCurrent } of tried) {
        if (text === undefined || isCurrent) continue;
        await manager.update(AuditKey, { id: key.id }, opened.seal(key.id, text));
      }
      const why = opened.macs.ready ? undefined : await opened.create(manager, tried.length > 0);
      return [opened, why] as const;
    });
    for (const id of keys.damaged) {
      logger.error(
        `The audit's key ${id} was damaged: a secret of this server sealed it and does not open it. ` +
          'The rows that it vouches for cannot be checked. See docs/audit.md',
      );
    }
    if (reason) logger.error(`The audit has a new key: ${REKEYED_BECAUSE[reason]}`);
    return keys;
  }

  /** Loads the stored keys, including those of other instances. */
  async load(manager: EntityManager): Promise<TriedKey[]> {
    const stored = await manager.find(AuditKey, { order: { createdAt: 'ASC' } });
    return stored.map((key) => {
      const tried = this.try(key);
      const { text, isOurs } = tried;
      if (text !== undefined) this.macs.add(key.id, Buffer.from(text, 'base64url'));
      else this.macs.addClosed(key.id);
      if (text === undefined && isOurs) this.damaged.add(key.id);
      return tried;
    });
  }

  private try(key: AuditKey): TriedKey {
    const { id, sealed, secretCheck } = key;
    const texts = this.keyring.deriveAll(PURPOSE, id).map((secret) => openText(secret, sealed));
    const checks = this.checksOf(id);
    return {
      key,
      text: texts.find((text) => text !== undefined),
      isCurrent: texts[0] !== undefined && secretCheck === checks[0],
      isOurs: checks.includes(secretCheck),
    };
  }

  /** Makes a key. Resolves to the reason, unless this is the first start. */
  private async create(
    manager: EntityManager,
    keysAreStored: boolean,
  ): Promise<RekeyReason | undefined> {
    const id = randomBytes(6).toString('base64url');
    const key = randomBytes(32);
    const sealed = this.seal(id, key.toString('base64url'));
    await manager.insert(AuditKey, { id, ...sealed, createdAt: clock.date() });
    this.macs.add(id, key);
    const marks = await manager.find(AuditMark);
    const reason = await this.reasonFor(manager, keysAreStored, marks);
    if (reason) {
      const details = rekeyDetails(reason, marks);
      const entry = { action: 'audit_rekeyed', subjectId: null, details } as const;
      await manager.insert(AuditEvent, withMac(this.macs, auditRow(entry, currentContext())));
    }
    // The marks are taken over unchanged. The row above has their old MACs, which `verifyAudit` checks.
    const mark = (name: MarkName) => marks.find((one) => one.name === name) ?? CHAIN_START;
    await writeMark(manager, this.macs, 'start', mark('start'));
    await writeMark(manager, this.macs, 'head', mark('head'));
    await writeMark(manager, this.macs, 'rekeyed', mark('head'));
    return reason;
  }

  private async reasonFor(
    manager: EntityManager,
    keysAreStored: boolean,
    marks: AuditMark[],
  ): Promise<RekeyReason | undefined> {
    if (this.damaged.size > 0) return 'damaged';
    if (keysAreStored) return 'other_secret';
    if (marks.length > 0 || (await manager.exists(AuditEvent))) return 'keys_removed';
    // The registration of the first user is recorded, so a database with users has had an audit.
    return (await manager.exists(User)) ? 'emptied' : undefined;
  }

  private seal(id: string, text: string): Pick<AuditKey, 'sealed' | 'secretCheck'> {
    const [secretCheck = ''] = this.checksOf(id);
    return { sealed: sealText(this.keyring.derive(PURPOSE, id), text), secretCheck };
  }

  /** Returns a value for each secret that only its holder can compute, the current secret's first. */
  private checksOf(id: string): string[] {
    return this.keyring.deriveAll(CHECK_PURPOSE, id).map((check) => check.toString('base64url'));
  }
}
