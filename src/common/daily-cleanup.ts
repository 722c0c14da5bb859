import { Injectable } from '@nestjs/common';
import { FailureLog } from './failure-log.js';
import { RecurringService } from './recurring-service.js';

/** A day, in milliseconds. */
const INTERVAL = 86_400_000;

/** The first turn comes early, in milliseconds, for servers that never run for a whole day. */
const FIRST = 60_000;

interface Task {
  failures: FailureLog;
  work: () => Promise<unknown>;
}

/** Removes old rows once a day. Each room adds its task, and the tasks run one after another. */
@Injectable()
export class DailyCleanup extends RecurringService {
  private readonly tasks: Task[] = [];
  private stopping = false;

  constructor() {
    super('Cleaning', INTERVAL, FIRST);
  }

  /** Adds a task; `name` begins the log line of its failure, such as `Removing old sessions`. */
  add(name: string, work: () => Promise<unknown>): void {
    this.tasks.push({ failures: new FailureLog(name, this.logger), work });
  }

  override async beforeApplicationShutdown(): Promise<void> {
    this.stopping = true;
    await super.beforeApplicationShutdown();
  }

  /** Runs every task. The failure of one does not keep the others from running. */
  protected override async work(): Promise<void> {
    for (const { work, failures } of this.tasks) {
      if (this.stopping) return;
      try {
        await work();
        failures.succeeded();
      } catch (error) {
        failures.failed(error);
      }
    }
  }
}
