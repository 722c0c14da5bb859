import { Global, Module } from '@nestjs/common';
import { Metrics } from './metrics.js';
import { Readiness } from './readiness.js';
import { RefusedTokens } from './refused-tokens.js';

/** What every room reports to: the registry of metrics and the list of what has to be ready. */
@Global()
@Module({ providers: [Metrics, Readiness, RefusedTokens], exports: [Metrics, Readiness] })
export class CommonModule {}
