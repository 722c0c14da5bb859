import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { parse } from 'csv-parse/sync';
import { In, type Repository } from 'typeorm';
import { AddressClaims } from '../addresses/address-claims.js';
import { Audit } from '../audit/audit.service.js';
import { clock } from '../common/clock.js';
import { asUtf8 } from '../common/text-file.js';
import { Database } from '../database/database.js';
import { PasswordCosts } from '../passwords/password-costs.js';
import { User } from '../users/user.entity.js';
import { UserRole } from '../users/user-role.entity.js';
import { UsernameClaims } from '../users/username-claims.js';
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

/** How many lines of a file were imported, stood in the database before, and were refused. */
export interface ImportCounts {
  imported: number;
  unchanged: number;
  refused: number;
}

/** Who is told of an import while it goes on. */
export interface ImportListener {
  onRefused: (line: RefusedLine) => void;
  /** After each batch, with the bytes read so far. */
  onProgress: (bytesRead: number, counts: ImportCounts) => void;
}

interface Candidate {
  line: number;
  user: ImportedUser;
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
   * Imports a file of any length in batches, each one statement. Whoever is in the database already,
   * by the id or, where the file gives none, by the username, stays as he is there, so that an import
   * that was broken off can be run again.
   *
   * @throws ImportError where a CSV file does not begin with names of columns
   */
  async run(
    chunks: AsyncIterable<Uint8Array>,
    format: ImportFormat,
    { onRefused, onProgress }: ImportListener,
  ): Promise<ImportCounts> {
    const counts: ImportCounts = { imported: 0, unchanged: 0, refused: 0 };
    const refuse = (line: number, reason: string): void => {
      counts.refused++;
      onRefused({ line, reason });
    };
    const began = clock.date();
    let header: string[] | undefined;
    let batch: Candidate[] = [];
    let bytesRead = 0;
    const store = async (): Promise<void> => {
      await this.store(batch, began, counts, refuse);
      batch = [];
      onProgress(bytesRead, counts);
    };
    for await (const line of readLines(asUtf8(chunks))) {
      bytesRead = line.bytesRead;
      if (format === 'csv' && !header) {
        header = readHeader(line);
        continue;
      }
      const read = readLine(line, header);
      if (read.ok) batch.push({ line: line.number, user: read.user });
      else refuse(line.number, read.reason);
      if (batch.length === BATCH) await store();
    }
    await store();
    return counts;
  }

  private async store(
    batch: Candidate[],
    began: Date,
    counts: ImportCounts,
    refuse: (line: number, reason: string) => void,
  ): Promise<void> {
    if (batch.length === 0) return;
    const before = await this.knownOf(batch);
    const fresh: (Candidate & { id: string })[] = [];
    for (const candidate of batch) {
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
    const rows = fresh.map(({ id, user }) => ({
      ...user,
      id,
      tokenVersion: 0,
      updatedAt: clock.date(),
    }));
    const proven = rows.flatMap(({ emailKey, emailVerifiedAt }) =>
      emailKey !== null && emailVerifiedAt ? [emailKey] : [],
    );
    const unnamed = new Set<string>();
    const ids = await this.database.transaction(async (manager) => {
      unnamed.clear();
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
      for (const id of lost) unnamed.add(id);
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
      return ids;
    });
    for (const { id, line } of fresh) {
      if (ids.has(id)) counts.imported++;
      else if (unnamed.has(id)) {
        refuse(
          line,
          'The username looks like that of another user, or is reserved for its former holder',
        );
      } else refuse(line, 'The username or the email was taken meanwhile');
    }
  }

  /** Those in the database who share an id, a name or an address with one of the batch. */
  private async knownOf(batch: Candidate[]): Promise<KnownUsers> {
    const values = <T>(of: (user: ImportedUser) => T | null | undefined): T[] =>
      batch.flatMap(({ user }) => of(user) ?? []);
    const columns = {
      id: true,
      usernameKey: true,
      emailKey: true,
      emailVerifiedAt: true,
      updatedAt: true,
    } as const;
    const known = new KnownUsers();
    for (const where of [
      { id: In(values(({ id }) => id)) },
      { usernameKey: In(values(({ usernameKey }) => usernameKey)) },
      { emailKey: In(values(({ emailKey }) => emailKey)) },
    ]) {
      for (const user of await this.users.find({ select: columns, where })) known.add(user);
    }
    return known;
  }
}

type KnownUser = Pick<User, 'id' | 'usernameKey' | 'emailKey' | 'emailVerifiedAt' | 'updatedAt'>;

/** Users by each of what is unique. */
class KnownUsers {
  readonly byId = new Map<string, KnownUser>();
  readonly byUsername = new Map<string, KnownUser>();
  readonly byEmail = new Map<string, KnownUser>();

  add(user: KnownUser): void {
    this.byId.set(user.id, user);
    this.byUsername.set(user.usernameKey, user);
    if (user.emailKey !== null) this.byEmail.set(user.emailKey, user);
  }
}

/** Why a user is not stored: `unchanged`, as he is there, or a sentence; undefined where he can be. */
function judge(user: ImportedUser, known: KnownUsers, began: Date): string | undefined {
  const namesake = known.byUsername.get(user.usernameKey);
  const same = user.id === undefined ? namesake : known.byId.get(user.id);
  // What this import stored itself stands in the file twice.
  if (same) return same.updatedAt < began ? 'unchanged' : 'The user stands in the file before';
  if (namesake) return 'The username is that of another user';
  const holder = user.emailKey === null ? undefined : known.byEmail.get(user.emailKey);
  if (!holder) return undefined;
  // A stored user who never verified the address loses it to one who did, see `AddressClaims`.
  const isSquatted = holder.emailVerifiedAt === null && holder.updatedAt < began;
  return user.emailVerifiedAt && isSquatted ? undefined : 'The email is that of another user';
}

function readLine(line: Line, header: string[] | undefined): ReadRecord {
  if ('refused' in line) return { ok: false, reason: line.refused };
  if (!header) {
    try {
      return readRecord(JSON.parse(line.text));
    } catch {
      return { ok: false, reason: 'The line is not JSON' };
    }
  }
  const fields = readFields(line.text);
  if (!fields) return { ok: false, reason: 'The line is not CSV, or a field goes over its end' };
  if (fields.length !== header.length) {
    return { ok: false, reason: `The line has ${fields.length} fields, not ${header.length}` };
  }
  return readRow(header, fields);
}

/** @throws ImportError where the line does not name columns that are known, each once */
function readHeader(line: Line): string[] {
  const header = ('text' in line ? readFields(line.text) : undefined) ?? [];
  const known = header.every((name) => COLUMNS.includes(name));
  if (known && header.includes('username') && new Set(header).size === header.length) return header;
  const columns = COLUMNS.join(', ');
  throw new ImportError(
    `The first line has to name columns, of ${columns}, and username among them`,
  );
}

/** The fields of one line; undefined where it is not well-formed. */
function readFields(text: string): string[] | undefined {
  try {
    const [fields = []] = parse(text, { relax_column_count: true });
    return fields;
  } catch {
    return undefined;
  }
}
