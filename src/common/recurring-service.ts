import {
  type BeforeApplicationShutdown,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { RecurringTask } from './recurring-task.js';

/** A service that repeats its work from the start of the application to its stop; see {@link RecurringTask}. */
export abstract class RecurringService
  implements OnApplicationBootstrap, BeforeApplicationShutdown
{
  protected readonly logger = new Logger(this.constructor.name);
  private readonly task: RecurringTask;

  /**
   * @param name the beginning of the log line of a failure, such as `Sealing the audit`
   * @param interval milliseconds between two turns
   * @param first milliseconds before the first turn
   */
  protected constructor(
    name: string,
    interval: number,
    private readonly first = interval,
  ) {
    this.task = new RecurringTask(name, interval, () => this.work(), this.logger);
  }

  onApplicationBootstrap(): void {
    this.task.start(this.first);
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.task.stop();
  }

  /** Does the work of one turn. An error is logged. */
  protected abstract work(): Promise<void>;
}
