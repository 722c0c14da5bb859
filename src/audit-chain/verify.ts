import { existsSync } from 'node:fs';
import { DataSource, type EntityManager, IsNull, MoreThan } from 'typeorm';
import { databaseOptions, sqlitePath, withoutTimeouts } from '../database/database.options.js';
import { refuseEarlierDatabase } from '../database/migration-state.js';
import { joinTables } from '../database/tables.js';
import { beginSnapshot } from '../database/transactions.js';
import type { Keyring } from '../keys/keyring.js';
import type { AuditAction } from '../audit/audit-entry.js';
import { auditTables } from '../audit/audit.tables.js';
import { AuditEvent } from '../audit/audit-event.entity.js';
import { auditChainTables } from './audit-chain.tables.js';
import { AuditKeys } from './audit-keys.js';
import { isEmptied, ownersOf, rowFault } from './row-mac.js';
import { rekeyFault } from './rekeying.js';
import { CHAIN_START, ChainBroken, isSealed, type Link, linkFault, readMarks } from './chain.js';

const TABLES = joinTables([auditTables, auditChainTables]);

/** The number of rows that are read at a time. */
const ROWS_PER_READ = 1_000;

/** The parameters of a verification. */
export interface VerifyOptions {
  /** The database, in the form of `DATABASE_URL`. */
  url: string;
  keyring: Keyring;
  /** A head that was noted before. It has to be part of the chain still. */
  expectHead?: Link;
  /** Called for each fault, in the order of rows. */
  onFault: (fault: string) => void;
}

/** The result of a verification. */
export interface Verification {
  faults: number;
  /** The rows in the chain, and the number of the first. */
  rows: number;
  first: number;
  /** The rows that are not in the chain yet. */
  unsealed: number;
  /** The rows whose key no secret here opens: the secret was replaced at once after they were written. */
  unchecked: number;
  /**
   * Rows that record a new key, if older rows cannot be checked. A given head that is at least as new vouches
   * for those.
   */
  rekeyedRows: string[];
  head: Link;
}

/**
 * Reads the whole audit in one transaction, a few rows at a time. Checks every row against its MAC, its place
 * and the marks. Writes nothing.
 */
export async function verifyAudit(options: VerifyOptions): Promise<Verification> {
  const { url } = options;
  const path = sqlitePath(url);
  if (path !== undefined && !existsSync(path)) throw new Error(`There is no database ${path}`);
  const dataSource = await new DataSource(
    withoutTimeouts(databaseOptions(url, TABLES)),
  ).initialize();
  try {
    const reader = dataSource.createQueryRunner();
    await beginSnapshot(reader);
    await refuseEarlierDatabase(reader);
    const keys = await AuditKeys.read(options.keyring, reader.manager);
    return await new Verifier(reader.manager, keys, options).run();
  } finally {
    await dataSource.destroy();
  }
}

class Verifier {
  private faults = 0;
  private rows = 0;
  private unchecked = 0;
  private readonly rekeyedRows: { where: string; seq: number }[] = [];
  private first = 0;
  private at: Link = CHAIN_START;
  private expectationMet = false;
  private readonly deleted = new Set<string>();
  /** The owners of emptied rows, with their first row. */
  private readonly emptied = new Map<string, { owners: string[]; where: string }>();

  constructor(
    private readonly manager: EntityManager,
    private readonly keys: AuditKeys,
    private readonly options: VerifyOptions,
  ) {}

  async run(): Promise<Verification> {
    const { start, head, rekeyed } = await this.marks();
    this.at = start;
    this.first = start.seq + 1;
    for await (const row of this.sealed()) this.checkSealed(row, start, rekeyed);
    this.checkEnd(head, start);
    const unsealed = await this.checkUnsealed();
    for (const { owners, where } of this.emptied.values()) {
      if (owners.some((owner) => this.deleted.has(owner))) continue;
      this.fault(`${where}: address and user agent are gone, but its user was not deleted`);
    }
    for (const id of this.keys.damaged) {
      this.fault(`the key ${id} was damaged: the secret that encrypted it does not decrypt it`);
    }
    const { faults, rows, first, unchecked, at } = this;
    const vouchedFor = this.expectationMet ? (this.options.expectHead?.seq ?? 0) : 0;
    const rekeyedRows = this.rekeyedRows
      .filter(({ seq }) => seq > vouchedFor)
      .map(({ where }) => where);
    return { faults, rows, first, unsealed, unchecked, rekeyedRows, head: at };
  }

  private async marks(): ReturnType<typeof readMarks> {
    try {
      return await readMarks(this.manager, this.keys.macs);
    } catch (error) {
      if (!(error instanceof ChainBroken)) throw error;
      this.fault(`the chain: ${error.message}`);
      return { start: CHAIN_START, head: CHAIN_START, rekeyed: CHAIN_START };
    }
  }

  private async *sealed(): AsyncGenerator<AuditEvent & Link> {
    // A row must not hide under a number below 1.
    for (let last = Number.MIN_SAFE_INTEGER; ;) {
      const rows = await this.manager.find(AuditEvent, {
        where: { seq: MoreThan(last) },
        order: { seq: 'ASC' },
        take: ROWS_PER_READ,
      });
      for (const row of rows) {
        if (isSealed(row)) yield row;
        else yield { ...row, seq: row.seq ?? 0, hash: '' };
      }
      if (rows.length < ROWS_PER_READ) return;
      last = rows.at(-1)?.seq ?? 0;
    }
  }

  private checkSealed(row: AuditEvent & Link, start: Link, rekeyed: Link): void {
    const { seq, hash } = row;
    const where = nameOf(row);
    this.rows++;
    this.note(row, where);
    if (seq <= start.seq) {
      this.fault(`${where}: it is before the start of the chain`);
      return;
    }
    const missing = seq - this.at.seq - 1;
    if (missing > 0) {
      this.fault(
        missing === 1
          ? `row ${this.at.seq + 1} is missing`
          : `rows ${this.at.seq + 1} to ${seq - 1} are missing`,
      );
    }
    const fault =
      missing > 0
        ? rowFault(this.keys.macs, row) === 'bad' && 'changed'
        : linkFault(this.keys.macs, this.at, row, rekeyed);
    if (fault === 'changed') this.fault(`${where}: it was changed`);
    if (fault === 'out_of_place') {
      this.fault(
        `${where}: it was not sealed after row ${seq - 1}, but changed, moved or inserted`,
      );
    }
    if (fault === 'unchecked') this.unchecked++;
    else if (!fault) this.checkRekeying(row, where, seq);
    this.at = { seq, hash };
    this.meet(this.at);
  }

  private checkEnd(head: Link, start: Link): void {
    const { seq, hash } = this.at;
    if (head.seq > seq) this.fault(`rows ${seq + 1} to ${head.seq}, the last ones, are missing`);
    if (head.seq < seq) this.fault(`rows from ${head.seq + 1} on were not sealed by the server`);
    if (head.seq === seq && head.hash !== hash) {
      this.fault(`row ${seq}, the last one, is not the row that was sealed`);
    }
    const { expectHead } = this.options;
    if (!expectHead) return;
    this.meet(start);
    if (this.expectationMet) return;
    if (expectHead.seq < start.seq) {
      this.fault(
        `row ${expectHead.seq}, the expected head, was removed by retention: use a later one`,
      );
    } else if (expectHead.seq > seq) {
      this.fault(`the chain ends at row ${seq}, before the expected head ${expectHead.seq}`);
    } else this.fault(`row ${expectHead.seq} is not the expected head`);
  }

  private async checkUnsealed(): Promise<number> {
    let count = 0;
    for (let last = ''; ;) {
      const rows = await this.manager.find(AuditEvent, {
        where: { seq: IsNull(), id: MoreThan(last) },
        order: { id: 'ASC' },
        take: ROWS_PER_READ,
      });
      for (const row of rows) {
        const where = nameOf(row);
        this.note(row, where);
        const fault = rowFault(this.keys.macs, row);
        if (fault === 'unknown_key' && this.keys.macs.isClosed(row.mac)) this.unchecked++;
        else if (fault) this.fault(`${where}: it was changed or inserted`);
        else this.checkRekeying(row, where, Infinity);
      }
      count += rows.length;
      if (rows.length < ROWS_PER_READ) return count;
      last = rows.at(-1)?.id ?? '';
    }
  }

  /** Checks that the old key vouches for the chain's ends at the time of a new key. */
  private checkRekeying(row: AuditEvent, where: string, seq: number): void {
    if (row.action !== ('audit_rekeyed' satisfies AuditAction)) return;
    const fault = rekeyFault(this.keys.macs, row);
    if (fault === 'bad') this.fault(`${where}: the chain's ends were changed before it`);
    else if (fault) this.rekeyedRows.push({ where, seq });
  }

  private note(row: AuditEvent, where: string): void {
    if (row.action === 'user_deleted' && row.subjectId) this.deleted.add(row.subjectId);
    if (!isEmptied(row)) return;
    const owners = ownersOf(row);
    const key = owners.join(' ');
    if (!this.emptied.has(key)) this.emptied.set(key, { owners, where });
  }

  private meet({ seq, hash }: Link): void {
    const { expectHead } = this.options;
    if (expectHead?.seq === seq && expectHead.hash === hash) this.expectationMet = true;
  }

  private fault(text: string): void {
    this.faults++;
    this.options.onFault(text);
  }
}

const nameOf = ({ seq, id, action, createdAt }: AuditEvent): string => {
  const time = Number.isNaN(createdAt.getTime()) ? 'no time' : createdAt.toISOString();
  return `row ${seq ?? 'not yet sealed'} (${id}, ${action}, ${time})`;
};
