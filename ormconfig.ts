import 'reflect-metadata';
import { DataSource } from 'typeorm';
import { databaseUrl } from './src/config/config.js';
import { migrationOptions } from './src/database/database.options.js';
import { latchkey } from './src/app.module.js';
import { tablesWith } from './src/tables.js';

/** The database for TypeORM's own command line. */
export default new DataSource(migrationOptions(databaseUrl(), tablesWith(latchkey)));
