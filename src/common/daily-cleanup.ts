import {
  type BeforeApplicationShutdown,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { FailureLog } from './failure-log.js';
import { RecurringTask } from './recurring-task.js';

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
export class DailyCleanup implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(DailyCleanup.name);
  private readonly tasks: Task[] = [];
  private stopping = false;
  private readonly job = new RecurringTask('Cleaning', INTERVAL, () => this.run(), this.logger);

  /** Adds a task; `name` begins the log line of its failure, such as `Removing old sessions`. */
  add(name: string, work: () => Promise<unknown>): void {
    this.tasks.push({ failures: new FailureLog(name, this.logger), work });
  }

  onApplicationBootstrap(): void {
    this.job.start(FIRST);
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping = true;
    await this.job.stop();
  }

  /** Runs every task. The failure of one does not keep the others from running. */
  private async run(): Promise<void> {
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
