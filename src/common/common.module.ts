import { Global, Module } from '@nestjs/common';
import { DailyCleanup } from './daily-cleanup.js';
import { EventsService } from './events.service.js';
import { Metrics } from './metrics.js';
import { PersonalData } from './personal-data.js';
import { Readiness } from './readiness.js';
import { RefusedTokens } from './refused-tokens.js';

/** The registries to which rooms add their lines: metrics, readiness, daily clean-up and personal data; and events. */
@Global()
@Module({
  providers: [DailyCleanup, EventsService, Metrics, PersonalData, Readiness, RefusedTokens],
  exports: [DailyCleanup, EventsService, Metrics, PersonalData, Readiness],
})
export class CommonModule {}
