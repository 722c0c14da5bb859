/** Shows the cost of Nest itself on Fastify: one route, no guard, no log, no header, no pipe. */
import 'reflect-metadata';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';

@Controller()
class BareController {
  @Get('health/live')
  live() {
    return { status: 'ok' };
  }
}

@Module({ controllers: [BareController] })
class BareModule {}

const app = await NestFactory.create(BareModule, new FastifyAdapter(), { logger: false });
await app.listen(Number(process.env.PORT), process.env.HOST ?? '127.0.0.1');

// An end by a signal would leave no profile behind.
process.once('SIGTERM', () => process.exit());
