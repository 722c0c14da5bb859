import { existsSync } from 'node:fs';
import type { INestApplicationContext, LoggerService, Type } from '@nestjs/common';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { AUDIT_LOG } from '../audit-chain/audit-keys.js';
import { runInContext } from '../common/request-context.js';
import { CommonModule } from '../common/common.module.js';
import { Config } from '../config/config.js';
import { ConfigModule } from '../config/config.module.js';
import { previewSecret } from '../config/generated-secret.js';
import { DatabaseModule } from '../database/database.module.js';
import { sqlitePath } from '../database/database.options.js';
import { TABLES, type Tables } from '../database/tables.js';
import { CliError } from './exit.js';
import { printError } from './print.js';

@Module({})
class CliModule {}

/**
 * Sends warnings to the standard error, so that a command prints only its result. Failures leave by an
 * exception, so they are not logged as well.
 */
const LOGGER: LoggerService = {
  log: () => undefined,
  warn: (message: unknown) => {
    printError(String(message));
  },
  error: (message: unknown, ...more: unknown[]) => {
    // The audit goes on with a new key and throws no exception, so its error is printed.
    if (more.at(-1) === AUDIT_LOG) printError(String(message));
  },
};

/** The parts of the application that every command needs. */
export interface AppParts {
  tables: Tables;
  /** The modules that take part in each change, such as those of sessions, the audit and webhooks. */
  modules: Type[];
  /** The whole application, for a command that needs every capability. */
  application: Type;
}

/**
 * Runs `work` with the services of `modules`, by the settings of a server here, and closes them. No listener,
 * timer or worker runs, because the hooks that start them are not called. It may run beside servers on the
 * same database. With `readOnly`, `work` records no change, so the audit's keys stay closed.
 *
 * @throws CliError if the SQLite file does not exist, unless `mayCreate`
 */
export type WithServices = <T>(
  modules: Type[],
  work: (services: INestApplicationContext) => Promise<T>,
  options?: { mayCreate?: boolean; readOnly?: boolean },
) => Promise<T>;

/** Returns the {@link WithServices} of an application. */
export const servicesOf =
  (parts: AppParts): WithServices =>
  (modules, work, options) =>
    runWithServices(parts, modules, work, options);

async function runWithServices<T>(
  parts: AppParts,
  modules: Type[],
  work: (services: INestApplicationContext) => Promise<T>,
  { mayCreate = false, readOnly = false } = {},
): Promise<T> {
  const config = Config.load(undefined, previewSecret);
  const path = sqlitePath(config.databaseUrl);
  // A wrong folder must not get a new database, which would look like one without users.
  if (path !== undefined && !mayCreate && !existsSync(path)) {
    throw new CliError(
      `There is no database ${path}: run this command in the folder of the server`,
    );
  }
  const module = {
    module: CliModule,
    global: true,
    providers: [{ provide: TABLES, useValue: parts.tables }],
    exports: [TABLES],
    imports: [
      ConfigModule.forRoot(config),
      CommonModule,
      DatabaseModule,
      ...(readOnly ? [] : parts.modules),
      ...modules,
    ],
  };
  // A standalone context of Nest would be initialised at once, and so would start its background work.
  const services = await NestFactory.create(module, new FastifyAdapter(), {
    logger: LOGGER,
    abortOnError: false,
  });
  try {
    return await runInContext({ source: 'cli' }, () => work(services));
  } finally {
    await services.close();
  }
}
