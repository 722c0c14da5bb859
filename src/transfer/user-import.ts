import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type EntityManager, In, type Repository } from 'typeorm';
import { AddressClaims } from '../addresses/address-claims.js';
import { Audit } from '../audit/audit.service.js';
import { clock } from '../common/clock.js';
import { asUtf8 } from '../common/text-file.js';
import { Database } from '../database/database.js';
import { PasswordCosts } from '../passwords/password-costs.js';
import { User } from '../users/user.entity.js';
import { UserRole } from '../users/user-role.entity.js';
import { UsernameClaims } from '../users/username-claims.js';
import { type CsvHeader, readFields, readHeader } from './csv.js';
import { type Candidate, judge, KnownUsers, secondName, withFreeName } from './known-users.js';
import { type Line, readLines } from './lines.js';
import { COLUMNS, type ImportedUser, readRecord, type ReadRecord, readRow } from './user-record.js';

/** Users stored by one statement. */
const BATCH = 500;

/** How the lines of a file are written. */
export type ImportFormat = 'jsonl' | 'csv';

/** A line that was not imported, and why in a sentence. */
export interface RefusedLine {
  line: number;
  reason: string;
}

/** A line that was imported without a part of it, or with one changed, in a sentence. */
export interface LineNote {
  line: number;
  note: string;
}

/**
 * How many lines of a file were imported, some of them without a part (`partial`), stood in the database
 * before, and were refused.
 */
export interface ImportCounts {
  imported: number;
  partial: number;
  unchanged: number;
  refused: number;
}

/** Who is told of an import while it goes on. */
export interface ImportListener {
  onRefused: (line: RefusedLine) => void;
  onNote: (note: LineNote) => void;
  /** After each batch, with the bytes read so far. */
  onProgress: (bytesRead: number, counts: ImportCounts) => void;
}

/** The ids of a batch that are stored, and those whose username was refused at that time. */
interface Stored {
  ids: Set<string>;
  unnamed: Set<string>;
}

const LOOKS_TAKEN =
  'The username looks like that of another user, or is reserved for its former holder';

/** Rolls a batch back that was tried only. */
class Undone extends Error {
  constructor(readonly found: Stored) {
    super('undone');
  }
}

/** One import: what is known of it in each batch. */
interface Run {
  began: Date;
  counts: ImportCounts;
  refuse: (line: number, reason: string) => void;
  onNote: (note: LineNote) => void;
  /** In a dry run, the users that an import would have stored. */
  planned: KnownUsers | undefined;
}

/** The file cannot be imported at all; nothing of it was. */
export class ImportError extends Error {
  override readonly name = 'ImportError';
}

/** Takes users over from another system, with their password hashes. */
@Injectable()
export class UserImport {
  constructor(
    @InjectRepository(User) private readonly users: Repository<User>,
    private readonly database: Database,
    private readonly audit: Audit,
    private readonly claims: AddressClaims,
    private readonly names: UsernameClaims,
    private readonly costs: PasswordCosts,
  ) {}

  /**
   * Imports a file of any length in batches, each one statement. A user who is in the database already
   * stays unchanged, so an interrupted import can be run again. The id decides that, or else the
   * username, or else the address. With `dryRun` all is judged and nothing stored; names and
   * addresses of the whole file are then held in memory.
   *
   * @throws ImportError where a CSV file does not begin with names of columns
   */
  async run(
    chunks: AsyncIterable<Uint8Array>,
    format: ImportFormat,
    { onRefused, onNote, onProgress }: ImportListener,
    { dryRun = false } = {},
  ): Promise<ImportCounts> {
    const counts: ImportCounts = { imported: 0, partial: 0, unchanged: 0, refused: 0 };
    const refuse = (line: number, reason: string): void => {
      counts.refused++;
      onRefused({ line, reason });
    };
    const planned = dryRun ? new KnownUsers() : undefined;
    const run: Run = { began: clock.date(), counts, refuse, onNote, planned };
    let header: CsvHeader | undefined;
    let batch: Candidate[] = [];
    let bytesRead = 0;
    const store = async (): Promise<void> => {
      await this.store(batch, run);
      batch = [];
      onProgress(bytesRead, counts);
    };
    for await (const line of readLines(asUtf8(chunks))) {
      bytesRead = line.bytesRead;
      if (format === 'csv' && !header) {
        header = headerOf(line);
        continue;
      }
      const read = readLine(line, header);
      if (read.ok) batch.push({ line: line.number, user: read.user, notes: read.notes });
      else refuse(line.number, read.reason);
      if (batch.length === BATCH) await store();
    }
    await store();
    return counts;
  }

  private async store(batch: Candidate[], run: Run): Promise<void> {
    if (batch.length === 0) return;
    const { began, counts, refuse } = run;
    const before = await this.knownOf(batch, run.planned);
    const fresh: (Candidate & { id: string })[] = [];
    for (const given of batch) {
      const candidate = withFreeName(given, before);
      const judged = judge(candidate.user, before, began);
      if (judged === 'unchanged') counts.unchanged++;
      else if (judged !== undefined) refuse(candidate.line, judged);
      else {
        const id = candidate.user.id ?? randomUUID();
        fresh.push({ ...candidate, id });
        before.add({ ...candidate.user, id, updatedAt: began });
      }
    }
    if (fresh.length === 0) return;
    const { ids, unnamed } = await this.insert(fresh, run.planned !== undefined);
    for (const { id, line, notes, user } of fresh) {
      if (!ids.has(id)) {
        refuse(
          line,
          unnamed.has(id) ? LOOKS_TAKEN : 'The username or the email was taken meanwhile',
        );
        continue;
      }
      counts.imported++;
      run.planned?.add({ ...user, id, updatedAt: began });
      if (notes.length > 0) counts.partial++;
      for (const note of notes) run.onNote({ line, note });
    }
  }

  /** Stores new users, or with `undo` finds out which of them could be stored. */
  private async insert(fresh: (Candidate & { id: string })[], undo: boolean): Promise<Stored> {
    const rows = fresh.map(({ id, user: { derivedFrom: _, ...user } }) => ({
      ...user,
      id,
      tokenVersion: 0,
      updatedAt: clock.date(),
    }));
    const proven = rows.flatMap(({ emailKey, emailVerifiedAt }) =>
      emailKey !== null && emailVerifiedAt ? [emailKey] : [],
    );
    const work = async (manager: EntityManager): Promise<Stored> => {
      await this.costs.noteOf(
        manager,
        rows.map(({ passwordHash }) => passwordHash),
      );
      if (proven.length > 0) await this.claims.vacateAll(manager, proven);
      await manager
        .createQueryBuilder()
        .insert()
        .into(User)
        .values(rows)
        .orIgnore()
        .updateEntity(false)
        .execute();
      // Who registered in between has the name: the unique index decided.
      const stored = await manager.find(User, {
        select: { id: true },
        where: { id: In(fresh.map(({ id }) => id)) },
      });
      const before = new Set(stored.map(({ id }) => id));
      const ids = await this.names.takeAll(
        manager,
        rows.filter(({ id }) => before.has(id)),
      );
      const lost = [...before].filter((id) => !ids.has(id));
      if (lost.length > 0) await manager.delete(User, { id: In(lost) });
      const unnamed = new Set(lost);
      const roles = rows
        .filter(({ id }) => ids.has(id))
        .flatMap(({ id: userId, createdAt, roles }) =>
          roles.map((role) => ({ role, createdAt, userId })),
        );
      if (roles.length > 0) await manager.insert(UserRole, roles);
      await this.audit.record(manager, {
        action: 'users_imported',
        subjectId: null,
        details: { users: ids.size },
      });
      if (undo) throw new Undone({ ids, unnamed });
      return { ids, unnamed };
    };
    try {
      return await this.database.transaction(work);
    } catch (error) {
      if (error instanceof Undone) return error.found;
      throw error;
    }
  }

  /** Those in the database who share an id, a name or an address with one of the batch. */
  private async knownOf(batch: Candidate[], planned: KnownUsers | undefined): Promise<KnownUsers> {
    const values = <T>(of: (user: ImportedUser) => T | null | undefined): T[] =>
      batch.flatMap(({ user }) => of(user) ?? []);
    const columns = {
      id: true,
      usernameKey: true,
      emailKey: true,
      emailVerifiedAt: true,
      updatedAt: true,
    } as const;
    const known = new KnownUsers(planned);
    for (const where of [
      { id: In(values(({ id }) => id)) },
      { usernameKey: In(values(({ usernameKey }) => usernameKey)) },
      { usernameKey: In(values((user) => secondName(user)?.usernameKey)) },
      { emailKey: In(values(({ emailKey }) => emailKey)) },
    ]) {
      for (const user of await this.users.find({ select: columns, where })) known.add(user);
    }
    return known;
  }
}

function readLine(line: Line, header: CsvHeader | undefined): ReadRecord {
  if ('refused' in line) return { ok: false, reason: line.refused };
  if (!header) {
    try {
      return readRecord(JSON.parse(line.text));
    } catch {
      return { ok: false, reason: 'The line is not JSON' };
    }
  }
  const fields = readFields(line.text, header.delimiter);
  if (!fields) return { ok: false, reason: 'The line is not CSV, or a field goes over its end' };
  if (fields.length !== header.columns.length) {
    return {
      ok: false,
      reason: `The line has ${fields.length} fields, not ${header.columns.length}`,
    };
  }
  return readRow(header.columns, fields);
}

/** @throws ImportError where the line does not name columns that are known, each once */
function headerOf(line: Line): CsvHeader {
  const header = 'text' in line ? readHeader(line.text, COLUMNS) : undefined;
  const columns = header?.columns ?? [];
  if (header && (columns.includes('username') || columns.includes('email'))) return header;
  throw new ImportError(
    `The first line has to name columns, of ${COLUMNS.join(', ')}, and username or email among them`,
  );
}
