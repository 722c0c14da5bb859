import './common/late-packages.js';
import 'reflect-metadata';
import type { Server } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyBaseLogger } from 'fastify';
import { appModule, createAdapter, setupApp } from './app.setup.js';
import { letHeapGrow } from './common/heap.js';
import { prepareLocalhost, withLocalhost } from './common/loopback.js';
import { PinoLogger } from './common/pino-logger.js';
import { Readiness } from './common/readiness.js';
import { reasonUnavailable } from './common/unavailable.js';
import { Config, ConfigError } from './config/config.js';

/** The time after a signal at which open connections are cut, in milliseconds. */
const GRACE = 8_000;

/**
 * A signal that comes again within this time is the same one, in milliseconds. A terminal and a supervisor
 * send it to every process, and npm passes it on as well.
 */
const ECHO = 1_000;

/**
 * The server cannot listen at the address of the settings. The error keeps no cause: the code of an unknown
 * host would read like one of the database.
 */
class ListenError extends Error {
  override readonly name = 'ListenError';
}

async function start(): Promise<void> {
  const config = Config.load();
  const adapter = createAdapter(config);
  const { log } = adapter.getInstance();
  const stopping = stopOnSignals(log, config);
  if (config.generatedSecretPath) {
    const verb = config.generatedSecretCreated ? 'made' : 'using';
    log.info(`No JWT_SECRET_KEY is set: ${verb} the one in ${config.generatedSecretPath}`);
  }
  for (const sentence of config.warnings) log.warn(sentence);
  const app = await NestFactory.create<NestFastifyApplication>(appModule(config), adapter, {
    logger: new PinoLogger(log),
    bodyParser: false,
    abortOnError: false,
  });
  await setupApp(app, config);
  const listenOnIpv6 = prepareLocalhost(adapter.getInstance());
  stopping.app = app;
  const listenTextResolver = (address: string) => `Server listening at ${withLocalhost(address)}`;
  const host = config.host === 'localhost' ? '127.0.0.1' : config.host;
  letHeapGrow();
  try {
    await app.listen({ port: config.port, host, listenTextResolver });
    if (config.host === 'localhost') await listenOnIpv6(config.port === 0);
  } catch (error) {
    throw new ListenError(`cannot listen on HOST and PORT: ${(error as Error).message}`);
  }
}

/**
 * Stops the process on SIGTERM and SIGINT: at once if there is no `app` yet, and otherwise after the running
 * requests.
 */
function stopOnSignals(
  log: FastifyBaseLogger,
  config: Config,
): { app: NestFastifyApplication | undefined } {
  const stopping: { app: NestFastifyApplication | undefined } = { app: undefined };
  let since: number | undefined;
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    if (since !== undefined) {
      if (performance.now() - since < ECHO) return;
      log.warn(`${signal} again: stopping at once`);
      process.exit(1);
    }
    since = performance.now();
    const { app } = stopping;
    if (!app) {
      log.info(`${signal} during the start: stopped`);
      process.exit(0);
    }
    app.get(Readiness).add('shutdown', () => {
      throw new Error('stopping');
    });
    // A proxy keeps connections open, and would send its next request on one that is about to close.
    app.getHttpServer().prependListener('request', (_request, response) => {
      response.setHeader('Connection', 'close');
    });
    // The proxy has to notice that first. Ctrl-C in a terminal does not wait.
    const delay = signal === 'SIGTERM' ? config.shutdownDelay : 0;
    if (delay > 0) {
      log.info(`${signal}: not ready from now on, stopping in ${delay} s`);
      await setTimeout(delay * 1000);
    }
    log.info(`${signal}: finishing what runs, then stopping`);
    void cutLate(app.getHttpServer());
    try {
      await app.close();
      log.info('stopped');
      process.exit(0);
    } catch (error) {
      log.fatal({ err: error }, 'could not stop cleanly');
      process.exit(1);
    }
  };
  process.on('SIGTERM', (signal) => void stop(signal));
  process.on('SIGINT', (signal) => void stop(signal));
  return stopping;
}

async function cutLate(server: Server): Promise<void> {
  await setTimeout(GRACE);
  server.closeAllConnections();
}

function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return reasonUnavailable(error) === undefined
    ? message
    : `the database cannot be used: ${message}`;
}

start().catch((error: unknown) => {
  if (error instanceof ConfigError) console.error(error.message);
  // Nest has logged the details.
  else console.error(`Latchkey could not start: ${reasonOf(error)}`);
  process.exit(1);
});
