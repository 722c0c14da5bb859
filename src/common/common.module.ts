import { Global, Module } from '@nestjs/common';
import { Metrics } from './metrics.js';
import { Readiness } from './readiness.js';
import { RefusedTokens } from './refused-tokens.js';

/** The registries that every room reports to: metrics and readiness. */
@Global()
@Module({ providers: [Metrics, Readiness, RefusedTokens], exports: [Metrics, Readiness] })
export class CommonModule {}
