import { Injectable } from '@nestjs/common';
import { type EntityManager, In } from 'typeorm';
import { clock } from '../common/clock.js';
import { FailureLog } from '../common/failure-log.js';
import { RecurringService } from '../common/recurring-service.js';
import { currentContext, type RequestContext } from '../common/request-context.js';
import { Database } from '../database/database.js';
import { User } from '../users/user.entity.js';
import type { AuditEvent } from './audit-event.entity.js';
import { auditRow } from './audit-row.js';
import { lockAudit } from './audit-lock.js';
import { AuditService } from './audit.service.js';

/** The beginning of the log line of a failure. */
const NAME = 'Recording failed logins';

/** The time between two writes, in milliseconds. */
const INTERVAL = 1_000;

/**
 * For how long the failures of one address at one user become one row, after the first one; in milliseconds.
 */
const WINDOW = 15 * 60_000;

/**
 * The pairs of known user and address that are counted apart in a window, and likewise the addresses with
 * unknown names. All beyond it become one sum.
 */
const MAX_PENDING = 1_000;

/** The reason of a failed login. */
export type LoginFailure =
  | 'bad_credentials'
  | 'user_disabled'
  | 'email_not_verified'
  | 'code_invalid'
  | 'link_invalid'
  | 'passkey_invalid'
  | 'passkey_unknown';

/** Failures that become one row. */
interface Tally {
  subjectId: string | null;
  reason: LoginFailure | 'several';
  /** The context of the first failure. */
  context: Readonly<RequestContext>;
  since: Date;
  count: number;
  /** Until this time failures are only counted, in milliseconds since 1970. */
  quietUntil: number;
}

/** The key of the sum beyond {@link MAX_PENDING}. */
const OVERFLOW = 'rest';

/**
 * Records failed logins. While a client waits, a failure is only counted, so the time of an answer does not
 * reveal whether the user exists. Rows are written within a second. The first failure of an address at a user
 * has its own row. Further failures within a quarter of an hour become one sum, so a flood cannot fill the
 * disk. If the user was deleted meanwhile, the row has no address and no user agent. A killed process loses
 * its pending sums.
 */
@Injectable()
export class FailedLogins extends RecurringService {
  /** Known users are counted apart, so that a flood of unknown names does not blur attacks on them. */
  private readonly known = new Map<string, Tally>();
  private readonly unknown = new Map<string, Tally>();
  private last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly audit: AuditService,
    private readonly database: Database,
  ) {
    super(NAME, INTERVAL);
  }

  /** Counts a failure. `subjectId` is null if there is no such user. The typed name is not kept. */
  note(subjectId: string | null, reason: LoginFailure): void {
    const context = currentContext();
    const key = JSON.stringify([subjectId, context.address, reason]);
    const tallies = subjectId === null ? this.unknown : this.known;
    if (tallies.has(key) || tallies.size < MAX_PENDING) {
      count(tallies, key, { subjectId, reason, context });
    } else {
      const nobody = { ...context, address: null, userAgent: null, requestId: null };
      count(tallies, OVERFLOW, { subjectId: null, reason: 'several', context: nobody });
    }
  }

  override async beforeApplicationShutdown(): Promise<void> {
    await super.beforeApplicationShutdown();
    // The server stops even if the database is down.
    await this.write(true).catch((cause: unknown) => {
      new FailureLog(NAME, this.logger).failed(cause);
    });
  }

  protected override work(): Promise<void> {
    return this.write();
  }

  /** Writes the rows that are due, or all of them. Calls run one after another. */
  write(all = false): Promise<void> {
    const turn = this.last.then(() => this.writeDue(all));
    this.last = turn.catch(() => undefined);
    return turn;
  }

  private async writeDue(all: boolean): Promise<void> {
    const now = clock.now();
    const due = [...this.known.values(), ...this.unknown.values()]
      .filter(({ count, quietUntil }) => count > 0 && (all || quietUntil <= now))
      .map((tally) => ({ tally, count: tally.count, noted: { ...tally } }));
    if (due.length > 0) {
      const noted = due.map((one) => one.noted);
      await this.database.transaction(async (manager) => {
        const known = await knownUsers(manager, noted);
        const rows = noted.map((one) =>
          this.rowOf(one.subjectId === null || known.has(one.subjectId) ? one : withoutOrigin(one)),
        );
        await this.audit.insert(manager, rows);
      });
    }
    for (const { tally, count } of due) {
      tally.count -= count;
      tally.quietUntil = now + WINDOW;
    }
    for (const tallies of [this.known, this.unknown]) {
      for (const [key, { count, quietUntil }] of tallies) {
        if (count === 0 && quietUntil <= now) tallies.delete(key);
      }
    }
  }

  private rowOf({ subjectId, reason, context, since, count }: Tally): AuditEvent {
    const details = { reason, ...(count > 1 && { count }) };
    const entry = { action: 'login_failed' as const, subjectId, actorId: null, details };
    return auditRow(entry, context, since);
  }
}

/**
 * Returns the users that still exist. They keep existing for `AuditService.forget` until the transaction of
 * `manager` ends: a deletion at this moment is either visible here, or forgets the new rows as well.
 */
async function knownUsers(manager: EntityManager, noted: Tally[]): Promise<Set<string>> {
  await lockAudit(manager);
  const ids = new Set(noted.flatMap(({ subjectId }) => subjectId ?? []));
  const users = await manager.find(User, { select: { id: true }, where: { id: In([...ids]) } });
  return new Set(users.map(({ id }) => id));
}

/**
 * This row had no origin from the beginning. An emptied origin would become a fault after retention removes
 * `user_deleted`.
 */
const withoutOrigin = (noted: Tally): Tally => ({
  ...noted,
  context: { ...noted.context, address: null, userAgent: null },
});

function count(
  tallies: Map<string, Tally>,
  key: string,
  first: Pick<Tally, 'subjectId' | 'reason' | 'context'>,
): void {
  const tally = tallies.get(key);
  if (!tally) tallies.set(key, { ...first, since: clock.date(), count: 1, quietUntil: 0 });
  else if (tally.count++ === 0) Object.assign(tally, first, { since: clock.date() });
}
