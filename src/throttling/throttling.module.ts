import { Global, Module } from '@nestjs/common';
import { KeysModule } from '../keys/keys.module.js';
import { FailedAttemptLimits } from './failed-attempt-limits.js';
import { RateLimits } from './rate-limits.js';

/** Rate limits for every module: `@RateLimit()` needs no import. */
@Global()
@Module({
  imports: [KeysModule],
  providers: [RateLimits, FailedAttemptLimits],
  exports: [RateLimits, FailedAttemptLimits],
})
export class ThrottlingModule {}
