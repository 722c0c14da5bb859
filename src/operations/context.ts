import { existsSync } from 'node:fs';
import type { INestApplicationContext, LoggerService, Type } from '@nestjs/common';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { AUDIT_LOG } from '../audit/audit-keys.js';
import { runInContext } from '../common/request-context.js';
import { CommonModule } from '../common/common.module.js';
import { Config } from '../config/config.js';
import { ConfigModule } from '../config/config.module.js';
import { secretToBe } from '../config/generated-secret.js';
import { DatabaseModule } from '../database/database.module.js';
import { CliError } from './exit.js';
import { printError } from './print.js';

@Module({})
class CliModule {}

/**
 * Warnings go where errors go, so that what a command prints is its result alone. What fails leaves by
 * an exception, so it is not said twice.
 */
const LOGGER: LoggerService = {
  log: () => undefined,
  warn: (message: unknown) => {
    printError(String(message));
  },
  error: (message: unknown, ...more: unknown[]) => {
    // The audit goes on with a new key, so no exception says that it has one.
    if (more.at(-1) === AUDIT_LOG) printError(String(message));
  },
};

/**
 * Does `work` with the services of `modules`, by the settings that a server here would have, and closes
 * them. Nothing of a server but these services: no listener, and no timer or worker, since none of the
 * hooks is called that start them. May run beside servers on the same database.
 *
 * @throws CliError where the SQLite file is not there, unless `mayCreate`
 */
export async function withServices<T>(
  modules: Type[],
  work: (services: INestApplicationContext) => Promise<T>,
  { mayCreate = false } = {},
): Promise<T> {
  const config = Config.load(undefined, secretToBe);
  const path = config.databaseUrl.startsWith('sqlite:') && config.databaseUrl.slice(7);
  // A mistaken folder must not get a database that looks like one without users.
  if (path && !mayCreate && !existsSync(path)) {
    throw new CliError(`There is no database ${path}: run this where the server runs`);
  }
  const module = {
    module: CliModule,
    imports: [ConfigModule.with(config), CommonModule, DatabaseModule, ...modules],
  };
  // A context of Nest's own would be initialised at once, and so begin to work in the background.
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
