/**
 * Runs Latchkey as a process of its own, with routes of a project that give large answers. It listens as
 * `main` does. Tests measure the memory that clients can make it keep.
 */
import 'reflect-metadata';
import { Buffer } from 'node:buffer';
import { Readable } from 'node:stream';
import { Controller, Get, Module, StreamableFile } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { appModule, createAdapter, setupApp } from '../../dist/src/app.setup.js';
import { Config } from '../../dist/src/config/config.js';

class LargeController {
  /** A megabyte that is made anew for each request. */
  text() {
    return { text: String(Math.random()).padEnd(2 ** 20, 'x') };
  }

  /** Sixteen megabytes, a piece at a time. */
  stream() {
    const pieces = function* () {
      for (let i = 0; i < 256; i++) yield Buffer.alloc(2 ** 16, 'x');
    };
    return new StreamableFile(Readable.from(pieces()));
  }
}
Controller('large')(LargeController);
for (const name of ['text', 'stream']) {
  Get(name)(
    LargeController.prototype,
    name,
    Object.getOwnPropertyDescriptor(LargeController.prototype, name),
  );
}

class RootModule {
  static with(config) {
    return { module: RootModule, imports: [appModule(config)] };
  }
}
Module({ controllers: [LargeController] })(RootModule);

const config = Config.load();
const app = await NestFactory.create(RootModule.with(config), createAdapter(config), {
  bodyParser: false,
  logger: ['error'],
});
await setupApp(app, config);
await app.listen(config.port, config.host);
