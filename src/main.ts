import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppModule } from './app.module.js';
import { createAdapter, setupApp } from './app.setup.js';
import { PinoLogger } from './common/pino-logger.js';
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

  const stop = (signal: NodeJS.Signals): void => {
    log.info(`${signal}: finishing what runs, then stopping`);
    const cut = setTimeout(() => {
      server.closeAllConnections();
    }, GRACE);
    app.close().then(
      () => {
        clearTimeout(cut);
        log.info('stopped');
        process.exit(0);
      },
      (error: unknown) => {
        log.fatal({ err: error }, 'could not stop cleanly');
        process.exit(1);
      },
    );
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  await app.listen(config.port, config.host);
}

start().catch((error: unknown) => {
  if (error instanceof ConfigError) console.error(error.message);
  // Nest has logged the rest.
  else console.error('Latchkey could not start:', error instanceof Error ? error.message : '');
  process.exit(1);
});
