import { randomBytes } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import { clock } from '../common/clock.js';
import type { Database } from '../database/database.js';
import type { Keyring } from '../keys/keyring.js';
import { openText, sealText } from '../keys/secret-box.js';
import { AuditKey } from './audit-key.entity.js';
import { AuditMacs } from './audit-macs.js';
import { AuditMark, type MarkName } from './audit-mark.entity.js';
import { lockChain, NOWHERE, writeMark } from './chain.js';

/** What the keys are encrypted for. */
const PURPOSE = 'latchkey audit';

/**
 * The keys of the audit's MACs: random, and stored encrypted under the server's secret. A rotation of
 * that encrypts them anew, so that rows of long ago can be verified; where the secret has leaked and
 * was replaced at once, none can be opened, and there is a new one from then on.
 */
export class AuditKeys {
  readonly macs = new AuditMacs();

  private constructor(private readonly keyring: Keyring) {}

  /** The stored keys, to read by. */
  static async read(keyring: Keyring, manager: EntityManager): Promise<AuditKeys> {
    const keys = new AuditKeys(keyring);
    await keys.load(manager);
    return keys;
  }

  /** The stored keys, under the secret of now; at the first start a new one, and an empty chain. */
  static open(keyring: Keyring, database: Database): Promise<AuditKeys> {
    return database.transaction(async (manager) => {
      await lockChain(manager);
      const keys = new AuditKeys(keyring);
      for (const { id, text } of await keys.load(manager)) {
        await manager.update(AuditKey, { id }, { sealed: keys.seal(id, text) });
      }
      if (!keys.macs.ready) await keys.create(manager);
      return keys;
    });
  }

  /** Learns the keys that other instances made; gives those that are sealed by an old secret. */
  async load(manager: EntityManager): Promise<{ id: string; text: string }[]> {
    const outdated: { id: string; text: string }[] = [];
    for (const { id, sealed } of await manager.find(AuditKey, { order: { createdAt: 'ASC' } })) {
      for (const [age, key] of this.keyring.deriveAll(PURPOSE, id).entries()) {
        const text = openText(key, sealed);
        if (text === undefined) continue;
        this.macs.add(id, Buffer.from(text, 'base64url'));
        if (age > 0) outdated.push({ id, text });
        break;
      }
    }
    return outdated;
  }

  private async create(manager: EntityManager): Promise<void> {
    const id = randomBytes(6).toString('base64url');
    const key = randomBytes(32);
    const sealed = this.seal(id, key.toString('base64url'));
    await manager.insert(AuditKey, { id, sealed, createdAt: clock.date() });
    this.macs.add(id, key);
    // What an older key vouched for cannot be checked any more here: `verifyAudit` can, by the old secret.
    const marks = await manager.find(AuditMark);
    const mark = (name: MarkName) => marks.find((one) => one.name === name) ?? NOWHERE;
    await writeMark(manager, this.macs, 'start', mark('start'));
    await writeMark(manager, this.macs, 'head', mark('head'));
    await writeMark(manager, this.macs, 'rekeyed', mark('head'));
  }

  private seal(id: string, text: string): string {
    return sealText(this.keyring.derive(PURPOSE, id), text);
  }
}
