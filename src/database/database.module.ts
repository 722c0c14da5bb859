import { Global, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { Metrics } from '../common/metrics.js';
import { Config } from '../config/config.js';
import { Database } from './database.js';
import { measureDatabase } from './database.metrics.js';
import { databaseOptions } from './database.options.js';
import { TABLES, type Tables } from './tables.js';
import { ChangeFeed } from './change-feed.js';

/** Connects, migrates, and gives every module the {@link Database} for its writes. */
@Global()
@Module({
  imports: [
    TypeOrmModule.forRootAsync({
      inject: [Config, TABLES],
      useFactory: (config: Config, tables: Tables) => ({
        ...databaseOptions(config.databaseUrl, tables, config.database),
        retryAttempts: 0,
        // Otherwise Nest would log that it tries again.
        toRetry: () => false,
      }),
    }),
  ],
  providers: [
    ChangeFeed,
    {
      provide: Database,
      inject: [DataSource, Config, Metrics],
      useFactory: async (dataSource: DataSource, config: Config, metrics: Metrics) => {
        const database = await Database.open(dataSource, config.database.waitTimeout);
        measureDatabase(database, metrics);
        return database;
      },
    },
  ],
  exports: [Database, ChangeFeed],
})
export class DatabaseModule {}
