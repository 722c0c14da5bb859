import 'reflect-metadata';
import type { Server } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppModule } from './app.module.js';
import { createAdapter, setupApp } from './app.setup.js';
import { PinoLogger } from './common/pino-logger.js';
import { Readiness } from './common/readiness.js';
import { Config, ConfigError } from './config/config.js';

/** After a signal, connections that are still open are cut at this time, in milliseconds. */
const GRACE = 8_000;

async function start(): Promise<void> {
  // What is written, the database above all, is for this user's eyes.
  process.umask(0o077);
  const config = Config.load();
  const adapter = createAdapter(config);
  const { log, server } = adapter.getInstance();
  if (config.generatedSecretPath) {
    const verb = config.generatedSecretCreated ? 'made' : 'using';
    log.info(`No JWT_SECRET_KEY is set: ${verb} the one in ${config.generatedSecretPath}`);
  }
  const app = await NestFactory.create<NestFastifyApplication>(AppModule.with(config), adapter, {
    logger: new PinoLogger(log),
    bodyParser: false,
    abortOnError: false,
  });
  await setupApp(app, config);

  let stopping = false;
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    if (stopping) {
      log.warn(`${signal} again: stopping at once`);
      process.exit(1);
    }
    stopping = true;
    app.get(Readiness).add('shutdown', () => {
      throw new Error('stopping');
    });
    // Whoever sends requests here has to see that first. A terminal's Ctrl-C waits for nobody.
    const delay = signal === 'SIGTERM' ? config.shutdownDelay : 0;
    if (delay > 0) {
      log.info(`${signal}: not ready from now on, stopping in ${delay} s`);
      await setTimeout(delay * 1000);
    }
    log.info(`${signal}: finishing what runs, then stopping`);
    void cutLate(server);
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
  await app.listen(config.port, config.host);
}

async function cutLate(server: Server): Promise<void> {
  await setTimeout(GRACE);
  server.closeAllConnections();
}

start().catch((error: unknown) => {
  if (error instanceof ConfigError) console.error(error.message);
  // Nest has logged the rest.
  else console.error('Latchkey could not start:', error instanceof Error ? error.message : '');
  process.exit(1);
});
