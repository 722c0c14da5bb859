import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { In, type Repository } from 'typeorm';
import { clock } from '../common/clock.js';
import { asUtf8 } from '../common/text-file.js';
import { Config } from '../config/config.js';
import { User } from '../users/user.entity.js';
import { UsernameClaims } from '../users/username-claims.js';
import type { CsvHeader } from './csv.js';
import { headerOf, readLine } from './import-line.js';
import {
  type Candidate,
  fallbackName,
  KnownUsers,
  reasonToSkip,
  withFreeName,
} from './known-users.js';
import { readLines } from './lines.js';
import { withoutUsername } from './nameless-record.js';
import { NewUsers, type UserToStore } from './new-users.js';
import type { ImportedUser } from './user-record.js';

/** The number of users that one statement stores. */
const INSERT_BATCH = 500;

/** The format of a file's lines. */
export type ImportFormat = 'jsonl' | 'csv';

/** A line that was not imported, with the reason in a sentence. */
export interface RefusedLine {
  line: number;
  reason: string;
}

/** A line of which a part was left out or changed, in a sentence. */
export interface LineNote {
  line: number;
  note: string;
}

/**
 * The number of lines that were imported, some of them without a part (`partial`), that were in the database
 * before, and that were refused.
 */
export interface ImportCounts {
  imported: number;
  partial: number;
  unchanged: number;
  refused: number;
}

/** Receives the events of a running import. */
export interface ImportListener {
  onRefused: (line: RefusedLine) => void;
  onNote: (note: LineNote) => void;
  /** Called after each batch, with the bytes read so far. */
  onProgress: (bytesRead: number, counts: ImportCounts) => void;
}

const LOOKS_TAKEN =
  'The username looks like that of another user, or is reserved for its former holder';

/** The state of one import. */
interface Run {
  began: Date;
  counts: ImportCounts;
  refuse: (line: number, reason: string) => void;
  onNote: (note: LineNote) => void;
  /** In a dry run, the users that an import would have stored. */
  planned: KnownUsers | undefined;
}

/** Imports users of another system, with their password hashes. */
@Injectable()
export class UserImport {
  constructor(
    private readonly config: Config,
    @InjectRepository(User) private readonly users: Repository<User>,
    private readonly newUsers: NewUsers,
    private readonly names: UsernameClaims,
  ) {}

  /**
   * Imports a file of any length in batches, each by one statement. A user whom the database has already
   * stays unchanged, so an interrupted import can be run again. Users are recognized by the id, or else the
   * username, or else the address. With `dryRun` it judges all lines and stores no user. The names and
   * addresses of the whole file are then held in memory.
   *
   * @throws ImportError if a CSV file does not begin with names of columns
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
      const given = readLine(line, header);
      const read = this.config.identifier === 'email' ? withoutUsername(given) : given;
      if (read.ok) batch.push({ line: line.number, user: read.user, notes: read.notes });
      else refuse(line.number, read.reason);
      if (batch.length === INSERT_BATCH) await store();
    }
    await store();
    return counts;
  }

  private async store(batch: Candidate[], run: Run): Promise<void> {
    if (batch.length === 0) return;
    const { began, counts, refuse } = run;
    const before = await this.knownOf(batch, run.planned);
    const fresh: UserToStore[] = [];
    for (const given of batch) {
      const candidate = withFreeName(given, before);
      const skipped = reasonToSkip(candidate.user, before, began);
      if (skipped === 'unchanged') counts.unchanged++;
      else if (skipped !== undefined) refuse(candidate.line, skipped);
      else {
        const id = candidate.user.id ?? randomUUID();
        fresh.push({ ...candidate, id });
        before.add({ ...candidate.user, id, updatedAt: began });
      }
    }
    if (fresh.length === 0) return;
    const { ids, unnamed } = await this.newUsers.insert(fresh, run.planned !== undefined);
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

  /** Returns the stored users that share an id, a name or an address with the batch. */
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
      { usernameKey: In(values((user) => fallbackName(user)?.usernameKey)) },
      { emailKey: In(values(({ emailKey }) => emailKey)) },
    ]) {
      for (const user of await this.users.find({ select: columns, where })) known.add(user);
    }
    const derived = ({ derivedFrom, usernameKey }: ImportedUser) =>
      derivedFrom === undefined ? undefined : usernameKey;
    known.addLooks(await this.names.takenAmong(values(derived)));
    return known;
  }
}
