import {
  type BeforeApplicationShutdown,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { type EntityManager, In } from 'typeorm';
import { clock } from '../common/clock.js';
import { FailureLog } from '../common/failure-log.js';
import { Recurring } from '../common/recurring.js';
import { currentContext, type RequestContext } from '../common/request-context.js';
import { Database } from '../database/database.js';
import { User } from '../users/user.entity.js';
import type { AuditEvent } from './audit-event.entity.js';
import { auditRow } from './audit-row.js';
import { lockAudit } from './audit-lock.js';
import { Audit } from './audit.service.js';

/** How often what is noted is written, in milliseconds. */
const INTERVAL = 1_000;

/** For how long the failures of one address for one user are one row, after the first. */
const WINDOW = 15 * 60_000;

/**
 * Pairs of known user and address that are told apart in a window, and addresses with unknown names; what
 * exceeds them is one sum.
 */
const MAX_PENDING = 1_000;

/** Why a login failed. */
export type LoginFailure = 'bad_credentials' | 'user_disabled' | 'email_not_verified';

/** Failures that become one row. */
interface Tally {
  subjectId: string | null;
  reason: LoginFailure | 'several';
  /** That of the first of them. */
  context: Readonly<RequestContext>;
  since: Date;
  count: number;
  /** Until when they are only counted, in milliseconds since 1970. */
  quietUntil: number;
}

/** The key of what exceeds {@link MAX_PENDING}. */
const REST = 'rest';

/**
 * Failed logins, on their way into the audit. They are only counted while a client waits, so that the
 * time of an answer tells nothing of who exists, and written within a second: the first of a user and an
 * address at once, the others of a quarter of an hour as one sum, so that a flood fills no disk. Of a
 * user who was deleted meanwhile, the row has no address and no user agent. A killed process loses the
 * sums under way.
 */
@Injectable()
export class FailedLogins implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(FailedLogins.name);
  /** Apart, so that a flood of unknown names does not blur what happens to known ones. */
  private readonly known = new Map<string, Tally>();
  private readonly unknown = new Map<string, Tally>();
  private last: Promise<unknown> = Promise.resolve();
  private readonly job = new Recurring(
    'Recording failed logins',
    INTERVAL,
    () => this.write(),
    this.logger,
  );

  constructor(
    private readonly audit: Audit,
    private readonly database: Database,
  ) {}

  /** Counts one; `subjectId` is null where there is no such user. What was typed is not kept. */
  note(subjectId: string | null, reason: LoginFailure): void {
    const context = currentContext();
    const key = JSON.stringify([subjectId, context.address, reason]);
    const tallies = subjectId === null ? this.unknown : this.known;
    if (tallies.has(key) || tallies.size < MAX_PENDING) {
      count(tallies, key, { subjectId, reason, context });
    } else {
      const nobody = { ...context, address: null, userAgent: null, requestId: null };
      count(tallies, REST, { subjectId: null, reason: 'several', context: nobody });
    }
  }

  onApplicationBootstrap(): void {
    this.job.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.job.stop();
    // Where the database is away, that is no reason not to stop.
    await this.write(true).catch((cause: unknown) => {
      new FailureLog('Recording failed logins', this.logger).failed(cause);
    });
  }

  /** Writes what is due, or `all`; one after another. */
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
 * Those of the users who are still there, and stay so for `Audit.forget` until the transaction of
 * `manager` ends: whoever is deleted at this moment is gone already, or forgets these rows as well.
 */
async function knownUsers(manager: EntityManager, noted: Tally[]): Promise<Set<string>> {
  await lockAudit(manager);
  const ids = new Set(noted.flatMap(({ subjectId }) => subjectId ?? []));
  const users = await manager.find(User, { select: { id: true }, where: { id: In([...ids]) } });
  return new Set(users.map(({ id }) => id));
}

/** Never emptied, so that the row is no fault where retention has removed `user_deleted` before it. */
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
