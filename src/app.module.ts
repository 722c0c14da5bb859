import { Module } from '@nestjs/common';
import { LatchkeyModule, type LatchkeyOptions } from './latchkey.module.js';

/** Your hooks, entities and migrations. The commands and the tests read them here too. */
export const latchkey: LatchkeyOptions = {};

/** The application. */
@Module({
  imports: [
    // Your own modules follow Latchkey's.
    LatchkeyModule.forRoot(latchkey),
  ],
})
export class AppModule {}
