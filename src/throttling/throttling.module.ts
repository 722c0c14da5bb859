import { Global, Module } from '@nestjs/common';
import { KeysModule } from '../keys/keys.module.js';
import { GuessLimits } from './guess-limits.js';
import { RateLimits } from './rate-limits.js';

/** Rate limits for every module: `@RateLimit()` needs no import. */
@Global()
@Module({
  imports: [KeysModule],
  providers: [RateLimits, GuessLimits],
  exports: [RateLimits, GuessLimits],
})
export class ThrottlingModule {}
