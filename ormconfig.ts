import 'reflect-metadata';
import { DataSource } from 'typeorm';
import { databaseUrl } from './src/config/config.js';
import { databaseOptions } from './src/database/database.options.js';

/** The DataSource of TypeORM's command line (`npm run migration:generate|run|revert`). */
export default new DataSource(databaseOptions(databaseUrl()));
