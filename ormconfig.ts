import 'reflect-metadata';
import { DataSource } from 'typeorm';
import { databaseUrl } from './src/config/config.js';
import { databaseOptions } from './src/database/database.options.js';

/** A migration may take longer than a request's statement, in seconds. */
const HOUR = 3_600;

/** The database as `npx latchkey migration run|revert` and TypeORM's own command line open it. */
export default new DataSource(
  databaseOptions(databaseUrl(), { poolSize: 2, timeout: HOUR, waitTimeout: 5 }),
);
